//! A peer in Rust, with lapin. What each role does is written in ../../../src/contract.ts.

use std::{env, error::Error, future::pending, process::exit, time::Duration};

use futures_lite::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
        ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::time::{sleep, timeout};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

struct Exchange {
    name: &'static str,
    kind: ExchangeKind,
    key: &'static str,
    bindings: &'static [&'static str],
}

const EXCHANGES: [Exchange; 3] = [
    Exchange { name: "logs", kind: ExchangeKind::Fanout, key: "", bindings: &[""] },
    Exchange {
        name: "direct_logs",
        kind: ExchangeKind::Direct,
        key: "error",
        bindings: &["warning", "error"],
    },
    Exchange {
        name: "topic_logs",
        kind: ExchangeKind::Topic,
        key: "kern.critical",
        bindings: &["kern.*", "*.critical"],
    },
];
const QUEUES: [&str; 3] = ["hello", "task_queue", "confirms"];

#[tokio::main(flavor = "local")]
async fn main() -> Outcome<()> {
    let urls = env::var("AMQP_URL")?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["consume"] => consume(&urls).await,
        ["serve", kind] => serve(kind, &urls).await,
        ["produce", name] => {
            for url in urls.split(' ') {
                produce(name, url).await?;
            }
            Ok(())
        }
        _ => Err("no such role".into()),
    }
}

async fn connect(url: &str) -> Outcome<(Connection, Channel)> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for Exchange { name, kind, .. } in EXCHANGES {
        let options = ExchangeDeclareOptions::default();
        channel.exchange_declare(name.into(), kind, options, FieldTable::default()).await?;
    }
    Ok((connection, channel))
}

async fn declare(channel: &Channel, queue: &str, kind: &str) -> Outcome<()> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await?;
    Ok(())
}

async fn exclusive(channel: &Channel) -> Outcome<String> {
    let options = QueueDeclareOptions { exclusive: true, ..Default::default() };
    let queue = channel.queue_declare("".into(), options, FieldTable::default()).await?;
    Ok(queue.name().to_string())
}

async fn report(channel: &Channel, source: &str, delivery: &Delivery) -> Outcome<()> {
    let properties = &delivery.properties;
    let text = |value: &Option<_>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    let mode = properties.delivery_mode().map(|mode| mode.to_string()).unwrap_or_default();
    let mut seen = FieldTable::default();
    for (header, value) in [
        ("source", source.to_string()),
        ("routing_key", delivery.routing_key.to_string()),
        ("redelivered", delivery.redelivered.to_string()),
        ("content_type", text(properties.content_type())),
        ("delivery_mode", mode),
        ("correlation_id", text(properties.correlation_id())),
        ("message_id", text(properties.message_id())),
    ] {
        seen.insert(header.into(), AMQPValue::LongString(value.into()));
    }
    let options = BasicPublishOptions::default();
    let properties = BasicProperties::default().with_headers(seen);
    channel.basic_publish("".into(), "seen".into(), options, &delivery.data, properties).await?;
    Ok(())
}

/// Consumes in the background. A failure ends the process.
async fn subscribe<F>(channel: &Channel, queue: &str, no_ack: bool, handle: F) -> Outcome<()>
where
    F: AsyncFn(&Channel, &Delivery) -> Outcome<()> + 'static,
{
    let options = BasicConsumeOptions { no_ack, ..Default::default() };
    let mut deliveries =
        channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
    let channel = channel.clone();
    let consuming = async move {
        while let Some(delivery) = deliveries.next().await {
            let delivery = delivery?;
            handle(&channel, &delivery).await?;
            if !no_ack {
                delivery.ack(BasicAckOptions::default()).await?;
            }
        }
        Err("the consumer has ended".into())
    };
    tokio::task::spawn_local(async move {
        let outcome: Outcome<()> = consuming.await;
        eprintln!("{outcome:?}");
        exit(1);
    });
    Ok(())
}

async fn consume(url: &str) -> Outcome<()> {
    let (_connection, channel) = connect(url).await?;
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    for Exchange { name, bindings, .. } in EXCHANGES {
        let queue = exclusive(&channel).await?;
        for key in bindings {
            let (queue, name, key) = (queue.as_str().into(), name.into(), (*key).into());
            let options = QueueBindOptions::default();
            channel.queue_bind(queue, name, key, options, FieldTable::default()).await?;
        }
        subscribe(&channel, &queue, true, async move |channel, delivery| report(channel, name, delivery).await)
            .await?;
    }
    for queue in QUEUES {
        declare(&channel, queue, "quorum").await?;
        subscribe(&channel, queue, queue == "hello", async move |channel, delivery| {
            report(channel, queue, delivery).await?;
            if queue == "task_queue" {
                let dots = delivery.data.iter().filter(|letter| **letter == b'.').count();
                sleep(Duration::from_secs(dots as u64)).await;
            }
            Ok(())
        })
        .await?;
    }
    answer_calls(&channel, "quorum").await
}

async fn serve(kind: &str, url: &str) -> Outcome<()> {
    let (_connection, channel) = connect(url).await?;
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    answer_calls(&channel, kind).await
}

/// Never returns, unless it fails.
async fn answer_calls(channel: &Channel, kind: &str) -> Outcome<()> {
    declare(channel, "rpc_queue", kind).await?;
    subscribe(channel, "rpc_queue", false, async |channel, request| {
        let answer = fibonacci(std::str::from_utf8(&request.data)?.parse()?).to_string();
        let mut properties = BasicProperties::default();
        if let Some(id) = request.properties.correlation_id() {
            properties = properties.with_correlation_id(id.clone());
        }
        let reply_to = request.properties.reply_to().clone().ok_or("no reply_to")?;
        let options = BasicPublishOptions::default();
        channel.basic_publish("".into(), reply_to, options, answer.as_bytes(), properties).await?;
        Ok(())
    })
    .await?;
    pending().await
}

/// Exact up to n = 186.
fn fibonacci(n: u32) -> u128 {
    let (mut current, mut next) = (0, 1);
    for _ in 0..n {
        (current, next) = (next, current + next);
    }
    current
}

async fn produce(name: &str, url: &str) -> Outcome<()> {
    let (connection, channel) = connect(url).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    for queue in QUEUES {
        declare(&channel, queue, "quorum").await?;
    }
    let none = BasicProperties::default();
    let persistent = none.clone().with_delivery_mode(2);
    let large = name.to_string() + &"x".repeat(100 * 1024 - name.len());
    for body in [format!("Grüße, 世界 🐇 from {name}"), String::new(), large] {
        publish(&channel, "", "hello", body.as_bytes(), none.clone()).await?;
        publish(&channel, "", "task_queue", body.as_bytes(), persistent.clone()).await?;
        for Exchange { name, key, .. } in EXCHANGES {
            publish(&channel, name, key, body.as_bytes(), none.clone()).await?;
        }
    }
    for number in 1..=3 {
        let properties = persistent.clone().with_type(name.into());
        let properties = properties.with_message_id(format!("{name}/{number}").into());
        let body = format!("Message {number} of 3");
        publish(&channel, "", "confirms", body.as_bytes(), properties).await?;
    }
    for direct in [true, false] {
        call(&channel, direct, none.clone().with_correlation_id("c".into())).await?;
        call(&channel, direct, none.clone().with_message_id("m".into())).await?;
        let both = none.clone().with_correlation_id("c".into()).with_message_id("m".into());
        call(&channel, direct, both).await?;
    }
    connection.close(200, "done".into()).await?;
    Ok(())
}

/// Waits until the broker has confirmed the message.
async fn publish(
    channel: &Channel,
    exchange: &str,
    key: &str,
    body: &[u8],
    properties: BasicProperties,
) -> Outcome<()> {
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let properties = properties.with_content_type("text/plain".into());
    let confirm = channel.basic_publish(exchange.into(), key.into(), options, body, properties).await?.await?;
    if confirm.is_ack() && confirm.take_message().is_none() {
        return Ok(());
    }
    Err(format!("the broker refused or returned a message for {exchange}{key}").into())
}

async fn call(channel: &Channel, direct: bool, ids: BasicProperties) -> Outcome<()> {
    let reply_to = if direct { "amq.rabbitmq.reply-to".to_string() } else { exclusive(channel).await? };
    let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let mut answers = channel
        .basic_consume(reply_to.as_str().into(), "answers".into(), options, FieldTable::default())
        .await?;
    publish(channel, "", "rpc_queue", b"30", ids.with_reply_to(reply_to.into())).await?;
    let answer = timeout(Duration::from_secs(10), answers.next()).await?.ok_or("no answer")??;
    report(channel, "rpc", &answer).await?;
    channel.basic_cancel("answers".into(), BasicCancelOptions::default()).await?;
    Ok(())
}
