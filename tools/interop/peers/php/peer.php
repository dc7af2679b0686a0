<?php
// A peer in PHP, with php-amqplib. What each role does is written in ../../src/contract.ts.

declare(strict_types=1);

require 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Channel\AMQPChannel;
use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

// Name, type, routing key and a consumer's bindings.
const EXCHANGES = [
    ['logs', 'fanout', '', ['']],
    ['direct_logs', 'direct', 'error', ['warning', 'error']],
    ['topic_logs', 'topic', 'kern.critical', ['kern.*', '*.critical']],
];
const QUEUES = ['hello', 'task_queue', 'confirms'];

[$role, $arguments] = [$argv[1], [...array_slice($argv, 2), ...explode(' ', getenv('AMQP_URL'))]];
match ($role) {
    'consume' => consume(...$arguments),
    'serve' => serve(...$arguments),
    'produce' => produce(...$arguments),
};

function connect(string $url): AMQPChannel
{
    $parts = array_map('urldecode', array_map('strval', parse_url($url)));
    $connection = new AMQPStreamConnection(
        $parts['host'],
        $parts['port'],
        $parts['user'] ?? 'guest',
        $parts['pass'] ?? 'guest',
        substr($parts['path'] ?? '//', 1)
    );
    $channel = $connection->channel();
    foreach (EXCHANGES as [$exchange, $type]) {
        // Not passive, not durable, not deleted when it is no longer in use.
        $channel->exchange_declare($exchange, $type, false, false, false);
    }
    return $channel;
}

function declareQueue(AMQPChannel $channel, string $queue, string $type = 'quorum'): void
{
    // Not passive, durable, not exclusive, not deleted when it is no longer in use, and with an answer.
    $channel->queue_declare($queue, false, true, false, false, false, new AMQPTable(['x-queue-type' => $type]));
}

function exclusive(AMQPChannel $channel): string
{
    return $channel->queue_declare('', false, false, true, false)[0];
}

function subscribe(AMQPChannel $channel, string $queue, bool $autoAck, callable $handle): string
{
    return $channel->basic_consume($queue, '', false, $autoAck, false, false, $handle);
}

function property(AMQPMessage $message, string $name): string
{
    return $message->has($name) ? (string) $message->get($name) : '';
}

function report(string $source, AMQPMessage $delivery): void
{
    $seen = [
        'source' => $source,
        'routing_key' => (string) $delivery->getRoutingKey(),
        'redelivered' => $delivery->isRedelivered() ? 'true' : 'false',
    ];
    foreach (['content_type', 'delivery_mode', 'correlation_id', 'message_id'] as $name) {
        $seen[$name] = property($delivery, $name);
    }
    $message = new AMQPMessage($delivery->getBody(), ['application_headers' => new AMQPTable($seen)]);
    $delivery->getChannel()->basic_publish($message, '', 'seen');
}

function consume(string $url): void
{
    $channel = connect($url);
    $channel->basic_qos(0, 1, false);
    foreach (EXCHANGES as [$exchange, , , $bindings]) {
        $queue = exclusive($channel);
        foreach ($bindings as $key) {
            $channel->queue_bind($queue, $exchange, $key);
        }
        subscribe($channel, $queue, true, fn ($delivery) => report($exchange, $delivery));
    }
    foreach (QUEUES as $queue) {
        declareQueue($channel, $queue);
    }
    subscribe($channel, 'hello', true, fn ($delivery) => report('hello', $delivery));
    subscribe($channel, 'task_queue', false, function ($delivery) {
        report('task_queue', $delivery);
        sleep(substr_count($delivery->getBody(), '.'));
        $delivery->ack();
    });
    subscribe($channel, 'confirms', false, function ($delivery) {
        report('confirms', $delivery);
        $delivery->ack();
    });
    answerCalls($channel, 'quorum');
}

function serve(string $type, string $url): void
{
    $channel = connect($url);
    $channel->basic_qos(0, 1, false);
    answerCalls($channel, $type);
}

function answerCalls(AMQPChannel $channel, string $type): void
{
    declareQueue($channel, 'rpc_queue', $type);
    subscribe($channel, 'rpc_queue', false, function ($request) {
        $ids = $request->has('correlation_id') ? ['correlation_id' => $request->get('correlation_id')] : [];
        $answer = new AMQPMessage((string) fibonacci((int) $request->getBody()), $ids);
        $request->getChannel()->basic_publish($answer, '', $request->get('reply_to'));
        $request->ack();
    });
    while ($channel->is_consuming()) {
        $channel->wait();
    }
}

/** Exact up to n = 92. */
function fibonacci(int $n): int
{
    [$current, $next] = [0, 1];
    for ($step = 0; $step < $n; $step++) {
        [$current, $next] = [$next, $current + $next];
    }
    return $current;
}

function produce(string $name, string ...$urls): void
{
    foreach ($urls as $url) {
        $channel = connect($url);
        $channel->confirm_select();
        $channel->set_nack_handler(fn () => throw new Exception('the broker refused a message'));
        foreach (QUEUES as $queue) {
            declareQueue($channel, $queue);
        }
        foreach (["Grüße, 世界 🐇 from $name", '', str_pad($name, 100 * 1024, 'x')] as $body) {
            publish($channel, '', 'hello', $body);
            publish($channel, '', 'task_queue', $body, ['delivery_mode' => 2]);
            foreach (EXCHANGES as [$exchange, , $key]) {
                publish($channel, $exchange, $key, $body);
            }
        }
        foreach ([1, 2, 3] as $number) {
            $properties = ['message_id' => "$name/$number", 'type' => $name, 'delivery_mode' => 2];
            publish($channel, '', 'confirms', "Message $number of 3", $properties);
        }
        foreach ([true, false] as $direct) {
            call($channel, $direct, ['correlation_id' => 'c']);
            call($channel, $direct, ['message_id' => 'm']);
            call($channel, $direct, ['correlation_id' => 'c', 'message_id' => 'm']);
        }
        $channel->getConnection()->close();
    }
}

/** Waits until the broker has confirmed the message. */
function publish(AMQPChannel $channel, string $exchange, string $key, string $body, array $properties = []): void
{
    $message = new AMQPMessage($body, ['content_type' => 'text/plain'] + $properties);
    $channel->basic_publish($message, $exchange, $key);
    $channel->wait_for_pending_acks(10);
}

function call(AMQPChannel $channel, bool $direct, array $ids): void
{
    $replyTo = $direct ? 'amq.rabbitmq.reply-to' : exclusive($channel);
    $answer = null;
    $tag = subscribe($channel, $replyTo, true, function ($delivery) use (&$answer) {
        $answer = $delivery;
    });
    publish($channel, '', 'rpc_queue', '30', ['reply_to' => $replyTo] + $ids);
    while ($answer === null) {
        // Throws when nothing comes for 10 s.
        $channel->wait(null, false, 10);
    }
    $channel->basic_cancel($tag);
    report('rpc', $answer);
}
