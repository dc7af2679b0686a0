module peer

go 1.22

require github.com/rabbitmq/amqp091-go v1.11.0
