"""A consumer on pika as fast as it goes. See src/native.ts."""

import sys

import pika

from worker_events import PARAMETERS, Consumption

queue, prefetch, ack, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])

connection = pika.BlockingConnection(PARAMETERS)
channel = connection.channel()
consumption = Consumption(connection, channel, count)


def callback(ch, method, properties, body):
    if ack == "each":
        ch.basic_ack(delivery_tag=method.delivery_tag)
    consumption.count(body)


if ack == "each":
    channel.basic_qos(prefetch_count=prefetch)
channel.basic_consume(queue=queue, on_message_callback=callback, auto_ack=ack == "auto")
consumption.run()
