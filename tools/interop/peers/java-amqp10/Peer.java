// A peer over AMQP 1.0, with RabbitMQ's Java client for it. What each role does is written in ../../src/contract.ts.
// It declares no exchange: over AMQP 1.0 all of them are durable, and those of the tutorials aren't.

import static java.nio.charset.StandardCharsets.UTF_8;

import com.rabbitmq.client.amqp.Connection;
import com.rabbitmq.client.amqp.Consumer.MessageHandler;
import com.rabbitmq.client.amqp.Message;
import com.rabbitmq.client.amqp.Publisher;
import com.rabbitmq.client.amqp.Requester;
import com.rabbitmq.client.amqp.RequesterBuilder;
import com.rabbitmq.client.amqp.impl.AmqpEnvironmentBuilder;
import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

class Peer {
    record Exchange(String name, String key, List<String> bindings) {}

    static final List<Exchange> EXCHANGES = List.of(
            new Exchange("logs", "", List.of("")),
            new Exchange("direct_logs", "error", List.of("warning", "error")),
            new Exchange("topic_logs", "kern.critical", List.of("kern.*", "*.critical")));

    final Connection connection;
    final Publisher seen;

    public static void main(String[] arguments) {
        String[] urls = System.getenv("AMQP_URL").split(" ");
        try {
            switch (arguments[0]) {
                case "consume" -> new Peer(urls[0]).consume();
                case "serve" -> new Peer(urls[0]).serve(arguments[1]);
                case "produce" -> {
                    for (String url : urls) {
                        new Peer(url).produce(arguments[1]);
                    }
                    System.exit(0);
                }
                default -> throw new IllegalArgumentException("no role " + arguments[0]);
            }
        } catch (Exception error) {
            // The client's threads would keep the process alive.
            System.err.println(error);
            System.exit(1);
        }
    }

    Peer(String url) {
        connection = new AmqpEnvironmentBuilder().build().connectionBuilder().uri(url).build();
        seen = connection.publisherBuilder().queue("seen").build();
    }

    void declare(String queue) {
        connection.management().queue(queue).quorum().queue().declare();
    }

    String exclusive() {
        return connection.management().queue().exclusive(true).autoDelete(true).declare().name();
    }

    void report(String source, Message delivery) {
        Message report = seen.message(delivery.body())
                .property("source", source)
                .property("routing_key", text(delivery.annotation("x-routing-key")))
                .property("redelivered", String.valueOf(!delivery.firstAcquirer()))
                .property("content_type", text(delivery.contentType()))
                .property("delivery_mode", delivery.durable() ? "2" : "1")
                .property("correlation_id", text(delivery.correlationId()))
                .property("message_id", text(delivery.messageId()));
        publish(seen, report);
    }

    static String text(Object property) {
        return property == null ? "" : property.toString();
    }

    void consume() {
        for (Exchange exchange : EXCHANGES) {
            String queue = exclusive();
            for (String key : exchange.bindings()) {
                connection.management().binding().sourceExchange(exchange.name()).destinationQueue(queue).key(key).bind();
            }
            subscribe(queue, (context, message) -> {
                report(exchange.name(), message);
                context.accept();
            });
        }
        for (String queue : List.of("hello", "task_queue", "confirms")) {
            declare(queue);
            subscribe(queue, (context, message) -> {
                report(queue, message);
                if (queue.equals("task_queue")) {
                    sleep(new String(message.body(), UTF_8).chars().filter(letter -> letter == '.').count());
                }
                context.accept();
            });
        }
        declare("rpc_queue");
        answerCalls();
    }

    void serve(String type) {
        connection.management().queue("rpc_queue").argument("x-queue-type", type).declare();
        answerCalls();
    }

    void answerCalls() {
        connection.responderBuilder()
                .requestQueue("rpc_queue")
                .handler((context, request) -> {
                    String answer = fibonacci(Integer.parseInt(new String(request.body(), UTF_8))).toString();
                    return context.message(answer.getBytes(UTF_8));
                })
                .build();
    }

    /** One message at a time. */
    void subscribe(String queue, MessageHandler onMessage) {
        connection.consumerBuilder().queue(queue).initialCredits(1).messageHandler(onMessage).build();
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
        for (String queue : List.of("hello", "task_queue", "confirms")) {
            declare(queue);
        }
        Publisher hello = connection.publisherBuilder().queue("hello").build();
        Publisher tasks = connection.publisherBuilder().queue("task_queue").build();
        Publisher confirms = connection.publisherBuilder().queue("confirms").build();
        byte[] text = ("Grüße, 世界 🐇 from " + name).getBytes(UTF_8);
        byte[] large = (name + "x".repeat(100 * 1024 - name.length())).getBytes(UTF_8);
        for (byte[] body : List.of(text, new byte[0], large)) {
            publish(hello, hello.message(body).durable(false));
            publish(tasks, tasks.message(body).durable(true));
            for (Exchange exchange : EXCHANGES) {
                try (Publisher logs = connection.publisherBuilder().exchange(exchange.name()).key(exchange.key()).build()) {
                    publish(logs, logs.message(body).durable(false));
                }
            }
        }
        for (int number = 1; number <= 3; number++) {
            byte[] body = ("Message " + number + " of 3").getBytes(UTF_8);
            // AMQP 0-9-1's `type` has no section of its own. This annotation stands for it.
            Message message = confirms.message(body).messageId(name + "/" + number).annotation("x-basic-type", name);
            publish(confirms, message.durable(true));
        }
        for (boolean direct : List.of(true, false)) {
            call(direct, "c", null);
            call(direct, null, "m");
            call(direct, "c", "m");
        }
        connection.close();
    }

    /** Waits until the broker has confirmed the message. */
    static void publish(Publisher publisher, Message message) {
        CompletableFuture<Publisher.Status> status = new CompletableFuture<>();
        publisher.publish(message.contentType("text/plain"), context -> status.complete(context.status()));
        try {
            if (status.get(10, TimeUnit.SECONDS) != Publisher.Status.ACCEPTED) {
                throw new IllegalStateException("the broker refused or returned a message");
            }
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    /** The client puts an id into each request. Only a request without one needs a queue that we name ourselves. */
    void call(boolean direct, String correlationId, String messageId) throws Exception {
        RequesterBuilder builder = connection.requesterBuilder().requestAddress().queue("rpc_queue").requester();
        // One call at a time: whatever comes is its answer, whichever id that has.
        String expected = messageId == null ? correlationId : messageId;
        builder.correlationIdSupplier(() -> expected).correlationIdExtractor(answer -> expected);
        if (!direct || messageId == null) {
            String queue = exclusive();
            builder.replyToQueue(queue).requestPostProcessor((request, id) -> request.messageId(messageId).replyTo("/queues/" + queue));
        }
        try (Requester requester = builder.requestTimeout(Duration.ofSeconds(10)).build()) {
            Message request = requester.message("30".getBytes(UTF_8)).contentType("text/plain");
            if (correlationId != null) {
                request.correlationId(correlationId);
            }
            report("rpc", requester.publish(request).get(10, TimeUnit.SECONDS));
        }
    }
}
