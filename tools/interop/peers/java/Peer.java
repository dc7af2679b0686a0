// A peer in Java, with RabbitMQ's amqp-client. What each role does is written in ../../src/contract.ts.

import static java.nio.charset.StandardCharsets.UTF_8;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DeliverCallback;
import com.rabbitmq.client.Delivery;
import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;

class Peer {
    record Exchange(String name, String type, String key, List<String> bindings) {}

    static final List<Exchange> EXCHANGES = List.of(
            new Exchange("logs", "fanout", "", List.of("")),
            new Exchange("direct_logs", "direct", "error", List.of("warning", "error")),
            new Exchange("topic_logs", "topic", "kern.critical", List.of("kern.*", "*.critical")));

    final Connection connection;
    final Channel channel;

    public static void main(String[] arguments) throws Exception {
        String[] urls = System.getenv("AMQP_URL").split(" ");
        try {
            switch (arguments[0]) {
                case "consume" -> new Peer(urls[0]).consume();
                case "serve" -> new Peer(urls[0]).serve(arguments[1]);
                case "produce" -> {
                    for (String url : urls) {
                        new Peer(url).produce(arguments[1]);
                    }
                }
                default -> throw new IllegalArgumentException("no role " + arguments[0]);
            }
        } catch (Exception error) {
            // The client's threads would keep the process alive.
            System.err.println(error);
            System.exit(1);
        }
    }

    Peer(String url) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(url);
        factory.setAutomaticRecoveryEnabled(false);
        connection = factory.newConnection();
        connection.addShutdownListener(cause -> {
            if (!cause.isInitiatedByApplication()) {
                System.err.println(cause.getMessage());
                System.exit(1);
            }
        });
        channel = connection.createChannel();
        for (Exchange exchange : EXCHANGES) {
            channel.exchangeDeclare(exchange.name(), exchange.type(), false);
        }
    }

    void declare(String queue, String type) throws Exception {
        channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", type));
    }

    void report(String source, Delivery delivery) {
        BasicProperties properties = delivery.getProperties();
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("source", source);
        seen.put("routing_key", delivery.getEnvelope().getRoutingKey());
        seen.put("redelivered", String.valueOf(delivery.getEnvelope().isRedeliver()));
        seen.put("content_type", text(properties.getContentType()));
        seen.put("delivery_mode", text(properties.getDeliveryMode()));
        seen.put("correlation_id", text(properties.getCorrelationId()));
        seen.put("message_id", text(properties.getMessageId()));
        try {
            channel.basicPublish("", "seen", new BasicProperties.Builder().headers(seen).build(), delivery.getBody());
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    static String text(Object property) {
        return property == null ? "" : property.toString();
    }

    void consume() throws Exception {
        channel.basicQos(1);
        for (Exchange exchange : EXCHANGES) {
            String queue = channel.queueDeclare("", false, true, false, null).getQueue();
            for (String key : exchange.bindings()) {
                channel.queueBind(queue, exchange.name(), key);
            }
            subscribe(queue, true, (tag, delivery) -> report(exchange.name(), delivery));
        }
        for (String queue : List.of("hello", "task_queue", "confirms")) {
            declare(queue, "quorum");
        }
        subscribe("hello", true, (tag, delivery) -> report("hello", delivery));
        subscribe("task_queue", false, (tag, delivery) -> {
            report("task_queue", delivery);
            sleep(new String(delivery.getBody(), UTF_8).chars().filter(letter -> letter == '.').count());
            channel.basicAck(delivery.getEnvelope().getDeliveryTag(), false);
        });
        subscribe("confirms", false, (tag, delivery) -> {
            report("confirms", delivery);
            channel.basicAck(delivery.getEnvelope().getDeliveryTag(), false);
        });
        answerCalls("quorum");
    }

    void serve(String type) throws Exception {
        channel.basicQos(1);
        answerCalls(type);
    }

    void answerCalls(String type) throws Exception {
        declare("rpc_queue", type);
        subscribe("rpc_queue", false, (tag, request) -> {
            BasicProperties properties = request.getProperties();
            BasicProperties ids =
                    new BasicProperties.Builder().correlationId(properties.getCorrelationId()).build();
            String answer = fibonacci(Integer.parseInt(new String(request.getBody(), UTF_8))).toString();
            channel.basicPublish("", properties.getReplyTo(), ids, answer.getBytes(UTF_8));
            channel.basicAck(request.getEnvelope().getDeliveryTag(), false);
        });
    }

    String subscribe(String queue, boolean autoAck, DeliverCallback onDelivery) throws Exception {
        return channel.basicConsume(queue, autoAck, onDelivery, tag -> {});
    }

    static void sleep(long seconds) {
        try {
            TimeUnit.SECONDS.sleep(seconds);
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    static BigInteger fibonacci(int n) {
        BigInteger current = BigInteger.ZERO;
        BigInteger next = BigInteger.ONE;
        for (int step = 0; step < n; step++) {
            BigInteger sum = current.add(next);
            current = next;
            next = sum;
        }
        return current;
    }

    void produce(String name) throws Exception {
        channel.confirmSelect();
        for (String queue : List.of("hello", "task_queue", "confirms")) {
            declare(queue, "quorum");
        }
        byte[] text = ("Grüße, 世界 🐇 from " + name).getBytes(UTF_8);
        byte[] large = (name + "x".repeat(100 * 1024 - name.length())).getBytes(UTF_8);
        BasicProperties.Builder persistent = new BasicProperties.Builder().deliveryMode(2);
        for (byte[] body : List.of(text, new byte[0], large)) {
            publish("", "hello", new BasicProperties.Builder(), body);
            publish("", "task_queue", persistent, body);
            for (Exchange exchange : EXCHANGES) {
                publish(exchange.name(), exchange.key(), new BasicProperties.Builder(), body);
            }
        }
        for (int number = 1; number <= 3; number++) {
            String id = name + "/" + number;
            BasicProperties.Builder properties =
                    new BasicProperties.Builder().deliveryMode(2).messageId(id).type(name);
            publish("", "confirms", properties, ("Message " + number + " of 3").getBytes(UTF_8));
        }
        for (boolean direct : List.of(true, false)) {
            call(direct, new BasicProperties.Builder().correlationId("c"));
            call(direct, new BasicProperties.Builder().messageId("m"));
            call(direct, new BasicProperties.Builder().correlationId("c").messageId("m"));
        }
        connection.close();
    }

    /** Waits until the broker has confirmed the message. */
    void publish(String exchange, String key, BasicProperties.Builder properties, byte[] body) throws Exception {
        channel.basicPublish(exchange, key, properties.contentType("text/plain").build(), body);
        channel.waitForConfirmsOrDie(10_000);
    }

    void call(boolean direct, BasicProperties.Builder ids) throws Exception {
        String replyTo = direct ? "amq.rabbitmq.reply-to" : channel.queueDeclare().getQueue();
        ArrayBlockingQueue<Delivery> answers = new ArrayBlockingQueue<>(1);
        String tag = subscribe(replyTo, true, (consumer, answer) -> answers.add(answer));
        publish("", "rpc_queue", ids.replyTo(replyTo), "30".getBytes(UTF_8));
        Delivery answer = answers.poll(10, TimeUnit.SECONDS);
        if (answer == null) {
            throw new IllegalStateException("no answer to a call with " + ids.build());
        }
        channel.basicCancel(tag);
        report("rpc", answer);
    }
}
