# frozen_string_literal: true

# A peer in Ruby, with Bunny. What each role does is written in ../../src/contract.ts.

require 'bunny'
require 'timeout'

# Name, type, routing key and a consumer's bindings.
EXCHANGES = [
  ['logs', :fanout, '', ['']],
  ['direct_logs', :direct, 'error', %w[warning error]],
  ['topic_logs', :topic, 'kern.critical', %w[kern.* *.critical]]
].freeze
QUEUES = %w[hello task_queue confirms].freeze

def connect(url)
  connection = Bunny.new(url, automatically_recover: false)
  connection.start
  channel = connection.create_channel
  EXCHANGES.each { |name, type| channel.exchange_declare(name, type.to_s, durable: false) }
  [connection, channel]
end

def declare(channel, queue, type = 'quorum')
  channel.queue_declare(queue, durable: true, arguments: { 'x-queue-type' => type })
end

def exclusive(channel)
  channel.queue_declare('', exclusive: true).queue
end

def report(channel, source, delivery, properties, body)
  seen = {
    'source' => source,
    'routing_key' => delivery.routing_key.to_s,
    'redelivered' => delivery.redelivered?.to_s,
    'content_type' => properties.content_type.to_s,
    'delivery_mode' => properties.delivery_mode.to_s,
    'correlation_id' => properties.correlation_id.to_s,
    'message_id' => properties.message_id.to_s
  }
  channel.basic_publish(body, '', 'seen', headers: seen)
end

def subscribe(channel, queue, auto_ack, &handle)
  consumer = Bunny::Consumer.new(channel, queue, channel.generate_consumer_tag, auto_ack)
  consumer.on_delivery(&handle)
  channel.basic_consume_with(consumer)
  consumer
end

def consume(url)
  _, channel = connect(url)
  channel.basic_qos(1)
  EXCHANGES.each do |exchange, _, _, bindings|
    queue = exclusive(channel)
    bindings.each { |key| channel.queue_bind(queue, exchange, routing_key: key) }
    subscribe(channel, queue, true) { |*message| report(channel, exchange, *message) }
  end
  QUEUES.each { |queue| declare(channel, queue) }
  subscribe(channel, 'hello', true) { |*message| report(channel, 'hello', *message) }
  subscribe(channel, 'task_queue', false) do |delivery, properties, body|
    report(channel, 'task_queue', delivery, properties, body)
    sleep body.count('.')
    channel.ack(delivery.delivery_tag)
  end
  subscribe(channel, 'confirms', false) do |delivery, properties, body|
    report(channel, 'confirms', delivery, properties, body)
    channel.ack(delivery.delivery_tag)
  end
  answer_calls(channel, 'quorum')
end

def serve(type, url)
  _, channel = connect(url)
  channel.basic_qos(1)
  answer_calls(channel, type)
end

def answer_calls(channel, type)
  declare(channel, 'rpc_queue', type)
  subscribe(channel, 'rpc_queue', false) do |delivery, properties, body|
    answer = fibonacci(Integer(body, 10)).to_s
    channel.basic_publish(answer, '', properties.reply_to, correlation_id: properties.correlation_id)
    channel.ack(delivery.delivery_tag)
  end
  sleep
end

def fibonacci(number)
  current = 0
  following = 1
  number.times { current, following = following, current + following }
  current
end

def produce(name, *urls)
  urls.each do |url|
    connection, channel = connect(url)
    channel.confirm_select
    QUEUES.each { |queue| declare(channel, queue) }
    ["Grüße, 世界 🐇 from #{name}", '', name.ljust(100 * 1024, 'x')].each do |body|
      publish(channel, '', 'hello', body, persistent: false)
      publish(channel, '', 'task_queue', body, persistent: true)
      EXCHANGES.each { |exchange, _, key| publish(channel, exchange, key, body, persistent: false) }
    end
    (1..3).each do |number|
      properties = { message_id: "#{name}/#{number}", type: name, persistent: true }
      publish(channel, '', 'confirms', "Message #{number} of 3", **properties)
    end
    [true, false].each do |direct|
      call(channel, direct, correlation_id: 'c')
      call(channel, direct, message_id: 'm')
      call(channel, direct, correlation_id: 'c', message_id: 'm')
    end
    connection.close
  end
end

# Waits until the broker has confirmed the message.
def publish(channel, exchange, key, body, **properties)
  channel.basic_publish(body, exchange, key, content_type: 'text/plain', **properties)
  raise 'the broker refused a message' unless channel.wait_for_confirms
end

def call(channel, direct, **ids)
  reply_to = direct ? 'amq.rabbitmq.reply-to' : exclusive(channel)
  answers = Queue.new
  consumer = subscribe(channel, reply_to, true) { |*answer| answers << answer }
  publish(channel, '', 'rpc_queue', '30', reply_to: reply_to, **ids)
  answer = Timeout.timeout(10) { answers.pop }
  consumer.cancel
  report(channel, 'rpc', *answer)
end

role, *arguments = ARGV
roles = { 'consume' => :consume, 'serve' => :serve, 'produce' => :produce }
send(roles.fetch(role), *arguments, *ENV.fetch('AMQP_URL').split)
