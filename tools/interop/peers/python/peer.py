"""A peer in Python, with pika. What each role does is written in ../../src/contract.ts."""

import os
import sys
import time

import pika

EXCHANGES = {"logs": "fanout", "direct_logs": "direct", "topic_logs": "topic"}
KEYS = {"logs": [""], "direct_logs": ["warning", "error"], "topic_logs": ["kern.*", "*.critical"]}


def connect(url):
    parameters = pika.URLParameters(url)
    # A peer that is busy with a task of many dots answers no heartbeat.
    parameters.heartbeat = 0
    channel = pika.BlockingConnection(parameters).channel()
    for exchange, kind in EXCHANGES.items():
        channel.exchange_declare(exchange, kind, durable=False)
    return channel


def declare(channel, queue, kind="quorum"):
    channel.queue_declare(queue, durable=True, arguments={"x-queue-type": kind})


def report(channel, source, body, properties, method):
    seen = {
        "source": source,
        "routing_key": method.routing_key,
        "redelivered": str(method.redelivered).lower(),
        "content_type": properties.content_type or "",
        "delivery_mode": str(properties.delivery_mode or ""),
        "correlation_id": properties.correlation_id or "",
        "message_id": properties.message_id or "",
    }
    channel.basic_publish("", "seen", body, pika.BasicProperties(headers=seen))


def consume(url):
    channel = connect(url)
    channel.basic_qos(prefetch_count=1)

    def logs(source):
        queue = channel.queue_declare("", exclusive=True).method.queue
        for key in KEYS[source]:
            channel.queue_bind(queue, source, key)
        channel.basic_consume(queue, reporter(source), auto_ack=True)

    def reporter(source):
        return lambda channel, method, properties, body: report(channel, source, body, properties, method)

    def work(channel, method, properties, body):
        report(channel, "task_queue", body, properties, method)
        time.sleep(body.count(b"."))
        channel.basic_ack(method.delivery_tag)

    def confirmed(channel, method, properties, body):
        report(channel, "confirms", body, properties, method)
        channel.basic_ack(method.delivery_tag)

    for source in EXCHANGES:
        logs(source)
    for queue in ("hello", "task_queue", "confirms"):
        declare(channel, queue)
    channel.basic_consume("hello", reporter("hello"), auto_ack=True)
    channel.basic_consume("task_queue", work)
    channel.basic_consume("confirms", confirmed)
    answer_calls(channel, "quorum")
    channel.start_consuming()


def serve(kind, url):
    channel = connect(url)
    channel.basic_qos(prefetch_count=1)
    answer_calls(channel, kind)
    channel.start_consuming()


def answer_calls(channel, kind):
    def answer(channel, method, properties, body):
        result = str(fibonacci(int(body))).encode()
        ids = pika.BasicProperties(correlation_id=properties.correlation_id)
        channel.basic_publish("", properties.reply_to, result, ids)
        channel.basic_ack(method.delivery_tag)

    declare(channel, "rpc_queue", kind)
    channel.basic_consume("rpc_queue", answer)


def fibonacci(n):
    current, following = 0, 1
    for _ in range(n):
        current, following = following, current + following
    return current


def produce(name, *urls):
    for url in urls:
        channel = connect(url)
        # From here on basic_publish waits for the confirm, and raises an error when the message is refused or returned.
        channel.confirm_delivery()
        for queue in ("hello", "task_queue", "confirms"):
            declare(channel, queue)
        for body in (f"Grüße, 世界 🐇 from {name}".encode(), b"", name.encode().ljust(100 * 1024, b"x")):
            publish(channel, "", "hello", body)
            publish(channel, "", "task_queue", body, delivery_mode=2)
            publish(channel, "logs", "", body)
            publish(channel, "direct_logs", "error", body)
            publish(channel, "topic_logs", "kern.critical", body)
        for number in (1, 2, 3):
            ids = {"message_id": f"{name}/{number}", "type": name, "delivery_mode": 2}
            publish(channel, "", "confirms", f"Message {number} of 3".encode(), **ids)
        for reply_to in ("amq.rabbitmq.reply-to", ""):
            call(channel, reply_to, correlation_id="c")
            call(channel, reply_to, message_id="m")
            call(channel, reply_to, correlation_id="c", message_id="m")
        channel.connection.close()


def publish(channel, exchange, key, body, **properties):
    properties = pika.BasicProperties(content_type="text/plain", **properties)
    channel.basic_publish(exchange, key, body, properties, mandatory=True)


def call(channel, reply_to, **ids):
    if reply_to == "":
        reply_to = channel.queue_declare("", exclusive=True).method.queue
    answers = []
    tag = channel.basic_consume(reply_to, lambda *answer: answers.append(answer), auto_ack=True)
    publish(channel, "", "rpc_queue", b"30", reply_to=reply_to, **ids)
    deadline = time.monotonic() + 10
    while not answers:
        channel.connection.process_data_events(time_limit=1)
        if time.monotonic() > deadline:
            raise SystemExit(f"no answer to a call with {ids}")
    channel.basic_cancel(tag)
    _, method, properties, body = answers[0]
    report(channel, "rpc", body, properties, method)


if __name__ == "__main__":
    role, *arguments = sys.argv[1:]
    roles = {"consume": consume, "serve": serve, "produce": produce}
    roles[role](*arguments, *os.environ["AMQP_URL"].split())
