// A peer in Go, with amqp091-go. What each role does is written in ../../src/contract.ts.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"math/big"
	"os"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

var exchanges = []struct {
	name, kind, key string
	bindings        []string
}{
	{"logs", "fanout", "", []string{""}},
	{"direct_logs", "direct", "error", []string{"warning", "error"}},
	{"topic_logs", "topic", "kern.critical", []string{"kern.*", "*.critical"}},
}

func main() {
	role, urls := os.Args[1], strings.Fields(os.Getenv("AMQP_URL"))
	switch role {
	case "consume":
		consume(urls[0])
	case "serve":
		serve(os.Args[2], urls[0])
	case "produce":
		for _, url := range urls {
			produce(os.Args[2], url)
		}
	default:
		log.Fatalf("no role %q", role)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func result[T any](value T, err error) T {
	must(err)
	return value
}

func connect(url string) (*amqp.Connection, *amqp.Channel) {
	connection := result(amqp.Dial(url))
	channel := result(connection.Channel())
	for _, exchange := range exchanges {
		must(channel.ExchangeDeclare(exchange.name, exchange.kind, false, false, false, false, nil))
	}
	return connection, channel
}

func declare(channel *amqp.Channel, queue, kind string) {
	result(channel.QueueDeclare(queue, true, false, false, false, amqp.Table{"x-queue-type": kind}))
}

func report(channel *amqp.Channel, source string, delivery amqp.Delivery) {
	mode := ""
	if delivery.DeliveryMode != 0 {
		mode = fmt.Sprint(delivery.DeliveryMode)
	}
	must(channel.PublishWithContext(context.Background(), "", "seen", false, false, amqp.Publishing{
		Headers: amqp.Table{
			"source":         source,
			"routing_key":    delivery.RoutingKey,
			"redelivered":    fmt.Sprint(delivery.Redelivered),
			"content_type":   delivery.ContentType,
			"delivery_mode":  mode,
			"correlation_id": delivery.CorrelationId,
			"message_id":     delivery.MessageId,
		},
		Body: delivery.Body,
	}))
}

func consume(url string) {
	connection, channel := connect(url)
	must(channel.Qos(1, 0, false))
	subscribe := func(queue, source string, autoAck bool) {
		deliveries := result(channel.Consume(queue, "", autoAck, false, false, false, nil))
		go func() {
			for delivery := range deliveries {
				report(channel, source, delivery)
				if source == "task_queue" {
					time.Sleep(time.Duration(bytes.Count(delivery.Body, []byte("."))) * time.Second)
				}
				if !autoAck {
					must(delivery.Ack(false))
				}
			}
		}()
	}
	for _, exchange := range exchanges {
		queue := result(channel.QueueDeclare("", false, false, true, false, nil)).Name
		for _, key := range exchange.bindings {
			must(channel.QueueBind(queue, key, exchange.name, false, nil))
		}
		subscribe(queue, exchange.name, true)
	}
	for _, queue := range []string{"hello", "task_queue", "confirms"} {
		declare(channel, queue, "quorum")
		subscribe(queue, queue, queue == "hello")
	}
	answerCalls(channel, "quorum")
	log.Fatal(<-connection.NotifyClose(make(chan *amqp.Error, 1)))
}

func serve(kind, url string) {
	connection, channel := connect(url)
	must(channel.Qos(1, 0, false))
	answerCalls(channel, kind)
	log.Fatal(<-connection.NotifyClose(make(chan *amqp.Error, 1)))
}

func answerCalls(channel *amqp.Channel, kind string) {
	declare(channel, "rpc_queue", kind)
	requests := result(channel.Consume("rpc_queue", "", false, false, false, false, nil))
	go func() {
		for request := range requests {
			var n int
			result(fmt.Sscan(string(request.Body), &n))
			must(channel.PublishWithContext(context.Background(), "", request.ReplyTo, false, false, amqp.Publishing{
				CorrelationId: request.CorrelationId,
				Body:          []byte(fibonacci(n).String()),
			}))
			must(request.Ack(false))
		}
	}()
}

func fibonacci(n int) *big.Int {
	current, next := big.NewInt(0), big.NewInt(1)
	for range n {
		current.Add(current, next)
		current, next = next, current
	}
	return current
}

func produce(name, url string) {
	connection, channel := connect(url)
	must(channel.Confirm(false))
	for _, queue := range []string{"hello", "task_queue", "confirms"} {
		declare(channel, queue, "quorum")
	}
	large := append([]byte(name), bytes.Repeat([]byte("x"), 100*1024-len(name))...)
	for _, body := range [][]byte{[]byte("Grüße, 世界 🐇 from " + name), {}, large} {
		publish(channel, "", "hello", amqp.Publishing{Body: body})
		publish(channel, "", "task_queue", amqp.Publishing{Body: body, DeliveryMode: amqp.Persistent})
		for _, exchange := range exchanges {
			publish(channel, exchange.name, exchange.key, amqp.Publishing{Body: body})
		}
	}
	for number := 1; number <= 3; number++ {
		publish(channel, "", "confirms", amqp.Publishing{
			MessageId:    fmt.Sprintf("%s/%d", name, number),
			Type:         name,
			DeliveryMode: amqp.Persistent,
			Body:         fmt.Appendf(nil, "Message %d of 3", number),
		})
	}
	for _, direct := range []bool{true, false} {
		call(channel, direct, "c", "")
		call(channel, direct, "", "m")
		call(channel, direct, "c", "m")
	}
	must(connection.Close())
}

// publish waits until the broker has confirmed the message.
func publish(channel *amqp.Channel, exchange, key string, message amqp.Publishing) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	message.ContentType = "text/plain"
	confirm := result(channel.PublishWithDeferredConfirmWithContext(ctx, exchange, key, false, false, message))
	if !result(confirm.WaitContext(ctx)) {
		log.Fatalf("the broker refused a message for %q", exchange+key)
	}
}

func call(channel *amqp.Channel, direct bool, correlationID, messageID string) {
	replyTo := "amq.rabbitmq.reply-to"
	if !direct {
		replyTo = result(channel.QueueDeclare("", false, false, true, false, nil)).Name
	}
	answers := result(channel.Consume(replyTo, "answers", true, false, false, false, nil))
	publish(channel, "", "rpc_queue", amqp.Publishing{
		ReplyTo:       replyTo,
		CorrelationId: correlationID,
		MessageId:     messageID,
		Body:          []byte("30"),
	})
	select {
	case answer := <-answers:
		report(channel, "rpc", answer)
	case <-time.After(10 * time.Second):
		log.Fatalf("no answer to a call with correlation id %q and message id %q", correlationID, messageID)
	}
	must(channel.Cancel("answers", false))
}
