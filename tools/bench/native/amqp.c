// The measured work on librabbitmq, C's client for RabbitMQ, to see how near the limit we are: producer, consumer,
// and both ends of an rpc. src/native.ts compiles it and says what each prints. The address comes from AMQP_URL.
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_tcp_socket.h>
#endif

enum { CHANNEL = 1, FRAME_MAX = 131072 };

static amqp_connection_state_t connection;

static _Noreturn void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static _Noreturn void misused(void) {
  fprintf(stderr, "Usage: amqp producer <queue> <messages> <bytes> <persistent: 0 or 1> <window>\n"
                  "       amqp consumer <queue> <prefetch> <each|grouped|auto> <messages>\n"
                  "       amqp server <queue> <prefetch> <each|auto>\n"
                  "       amqp caller <queue> <calls> <bytes> <in flight> <direct|exclusive>\n");
  exit(2);
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count ? count : 1, size);
  if (!memory) fail("not enough memory");
  return memory;
}

static void check(int status, const char *what) {
  if (status < 0) fail("%s: %s", what, amqp_error_string2(status));
}

/** Ends the program on anything but a normal reply, with the broker's words if it sent any. */
static void check_reply(amqp_rpc_reply_t reply, const char *what) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) check(reply.library_error, what);
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
    // Both methods begin with the code and the text.
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD || reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
      const amqp_channel_close_t *close = reply.reply.decoded;
      fail("%s: %.*s", what, (int)close->reply_text.len, (const char *)close->reply_text.bytes);
    }
  }
  fail("%s: failed", what);
}

/** Nanoseconds of a clock that only goes forward. */
static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/** ms since 1970, as other processes see them too. */
static double date(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static atomic_bool told;

static void *listen_to_parent(void *nothing) {
  // A line, or the end of the input: the parent is gone.
  getchar();
  atomic_store(&told, true);
  return nothing;
}

static pthread_t listener;

/** From here on `told` becomes true when the parent sends a line, or goes. */
static void listen_for_the_end(void) {
  if (pthread_create(&listener, NULL, listen_to_parent, NULL) != 0) fail("no thread");
}

static void await_end(void) { pthread_join(listener, NULL); }

static void print_ready(void) { puts("{\"event\":\"ready\"}"); }

/** Waits for the parent's word to begin. */
static void await_start(void) {
  int character;
  while ((character = getchar()) != '\n')
    if (character == EOF) exit(0);
  listen_for_the_end();
}

/** Tells how far it is, at most ten times a second. */
static void print_progress(uint32_t count) {
  static uint64_t last;
  static uint32_t said;
  uint64_t time = now();
  if (count == said || time - last < 100000000u) return;
  last = time;
  said = count;
  printf("{\"event\":\"progress\",\"count\":%" PRIu32 "}\n", count);
}

static uint32_t number(const char *text) {
  char *end;
  unsigned long value = strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || value > UINT32_MAX) misused();
  return (uint32_t)value;
}

static void open_connection(const char *role) {
  const char *variable = getenv("AMQP_URL");
  char *url = strdup(variable ? variable : "amqp://localhost");
  if (!url) fail("not enough memory");
  struct amqp_connection_info info;
  amqp_default_connection_info(&info);
  if (amqp_parse_url(url, &info) != AMQP_STATUS_OK) fail("AMQP_URL is no address");
  if (info.ssl) fail("AMQP_URL: only amqp:// is measured");

  connection = amqp_new_connection();
  amqp_socket_t *socket = connection ? amqp_tcp_socket_new(connection) : NULL;
  if (!socket) fail("not enough memory");
  check(amqp_socket_open(socket, info.host, info.port), "connecting");
  int yes = 1;
  if (setsockopt(amqp_get_sockfd(connection), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0)
    fail("no TCP_NODELAY");

  char name[64];
  snprintf(name, sizeof name, "bench %s (C)", role);
  amqp_table_entry_t entry = {
      .key = amqp_cstring_bytes("connection_name"),
      .value = {.kind = AMQP_FIELD_KIND_UTF8, .value = {.bytes = amqp_cstring_bytes(name)}}};
  amqp_table_t properties = {.num_entries = 1, .entries = &entry};
  check_reply(amqp_login_with_properties(connection, *info.vhost ? info.vhost : "/", 0, FRAME_MAX, 0, &properties,
                                         AMQP_SASL_METHOD_PLAIN, info.user, info.password),
              "logging in");
  amqp_channel_open(connection, CHANNEL);
  check_reply(amqp_get_rpc_reply(connection), "opening a channel");
  free(url);
}

static void close_connection(void) {
  check_reply(amqp_channel_close(connection, CHANNEL, AMQP_REPLY_SUCCESS), "closing the channel");
  check_reply(amqp_connection_close(connection, AMQP_REPLY_SUCCESS), "closing the connection");
  check(amqp_destroy_connection(connection), "closing");
}

static void subscribe(const char *queue, uint16_t prefetch, bool no_ack) {
  if (!no_ack) {
    amqp_basic_qos(connection, CHANNEL, 0, prefetch, false);
    check_reply(amqp_get_rpc_reply(connection), "setting the prefetch");
  }
  amqp_basic_consume(connection, CHANNEL, amqp_cstring_bytes(queue), amqp_empty_bytes, false, no_ack, false,
                     amqp_empty_table);
  check_reply(amqp_get_rpc_reply(connection), "consuming");
}

/** @return Whether there was a delivery; false after 50 ms without one. */
static bool receive(amqp_envelope_t *envelope) {
  struct timeval timeout = {.tv_usec = 50000};
  amqp_maybe_release_buffers(connection);
  amqp_rpc_reply_t reply = amqp_consume_message(connection, envelope, &timeout, 0);
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
    if (reply.library_error == AMQP_STATUS_TIMEOUT) return false;
    if (reply.library_error == AMQP_STATUS_UNEXPECTED_STATE)
      fail("consuming: the broker cancelled the consumer, or closed the channel or connection");
  }
  check_reply(reply, "consuming");
  return true;
}

static void publish(const char *queue, amqp_bytes_t body, const amqp_basic_properties_t *properties) {
  check(amqp_basic_publish(connection, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(queue), false, false, properties,
                           body),
        "publishing");
}

static int ascending(const void *one, const void *other) {
  uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
  return (a > b) - (a < b);
}

/** @param latencies Of each message or call, in ns. Sorted by this; NULL if there are none. */
static void print_done(uint32_t count, double first, double last, uint64_t *latencies) {
  printf("{\"event\":\"done\",\"count\":%" PRIu32 ",\"first\":%.4f,\"last\":%.4f", count, first, last);
  if (latencies && count > 0) {
    qsort(latencies, count, sizeof *latencies, ascending);
    const struct {
      const char *name;
      double part;
    } of[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
      uint32_t rank = (uint32_t)(of[i].part * count);
      printf(",\"%s\":%.4f", of[i].name, (double)latencies[rank < count ? rank : count - 1] / 1e6);
    }
    printf(",\"max\":%.4f", (double)latencies[count - 1] / 1e6);
  }
  puts("}");
}

/** Messages that the broker has not confirmed yet. Delivery tags begin at 1, as these arrays do. */
struct unconfirmed {
  /** When it was published, in ns, or how long its confirm took, once it has come. */
  uint64_t *times;
  bool *confirmed;
  /** All below have been confirmed. */
  uint32_t lowest;
  uint32_t count;
};

static void confirm(struct unconfirmed *those, uint64_t tag, uint64_t time) {
  if (those->confirmed[tag]) return;
  those->confirmed[tag] = true;
  those->times[tag] = time - those->times[tag];
  those->count--;
}

/** Waits for what the broker says next, and notes the confirms in it. */
static void await_confirm(struct unconfirmed *those, uint32_t published) {
  amqp_frame_t frame;
  amqp_maybe_release_buffers(connection);
  check(amqp_simple_wait_frame(connection, &frame), "waiting for confirms");
  if (frame.frame_type != AMQP_FRAME_METHOD) return;
  if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
    fail("the broker answered %s", amqp_method_name(frame.payload.method.id));
  const amqp_basic_ack_t *ack = frame.payload.method.decoded;
  if (ack->delivery_tag > published) fail("the broker confirmed what was not published");
  uint64_t time = now();
  if (ack->multiple)
    for (uint32_t tag = those->lowest; tag <= ack->delivery_tag; tag++) confirm(those, tag, time);
  else
    confirm(those, ack->delivery_tag, time);
  while (those->lowest <= published && those->confirmed[those->lowest]) those->lowest++;
}

static void produce(const char *queue, uint32_t count, uint32_t size, bool persistent, uint32_t window) {
  if (size < 4) misused();
  open_connection("producer");
  struct unconfirmed unconfirmed = {.lowest = 1};
  if (window > 0) {
    unconfirmed.times = allocate((size_t)count + 1, sizeof *unconfirmed.times);
    unconfirmed.confirmed = allocate((size_t)count + 1, sizeof *unconfirmed.confirmed);
    amqp_confirm_select(connection, CHANNEL);
    check_reply(amqp_get_rpc_reply(connection), "asking for confirms");
  }
  char *bytes = allocate(size, 1);
  memset(bytes, 'x', size);
  amqp_bytes_t body = {.len = size, .bytes = bytes};
  amqp_basic_properties_t properties = {
      ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
      .delivery_mode = persistent ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT};

  print_ready();
  await_start();
  double first = date();
  uint32_t published = 0;
  while (published < count && !atomic_load(&told)) {
    uint32_t label = htonl(published);
    memcpy(bytes, &label, sizeof label);
    published++;
    if (window > 0) {
      unconfirmed.times[published] = now();
      unconfirmed.count++;
    }
    publish(queue, body, &properties);
    // What has come already costs no system call.
    while (unconfirmed.count > 0 && (unconfirmed.count >= window || amqp_data_in_buffer(connection)))
      await_confirm(&unconfirmed, published);
    if (published % 64 == 0) print_progress(published);
  }
  while (unconfirmed.count > 0) await_confirm(&unconfirmed, published);
  if (window == 0) {
    // The answer says that the broker has read all that came before.
    amqp_queue_declare(connection, CHANNEL, amqp_cstring_bytes(queue), true, false, false, false, amqp_empty_table);
    check_reply(amqp_get_rpc_reply(connection), "looking at the queue");
  }
  double last = date();
  print_done(published, first, last, window > 0 ? unconfirmed.times + 1 : NULL);
  // Of what isn't confirmed, RabbitMQ 3.10 forgets some when the channel closes before a quorum queue has it.
  await_end();
  close_connection();
}

/** Which messages have come, by the numbers in their bodies. */
struct seen {
  uint8_t *bits;
  uint32_t count;
  uint32_t repeated;
};

static void see(struct seen *seen, amqp_bytes_t body) {
  uint32_t label;
  if (body.len < sizeof label) fail("a message without a number");
  memcpy(&label, body.bytes, sizeof label);
  label = ntohl(label);
  if (label >= seen->count) fail("a message that nobody has numbered so: %" PRIu32, label);
  uint8_t bit = (uint8_t)(1u << (label % 8));
  if (seen->bits[label / 8] & bit) seen->repeated++;
  seen->bits[label / 8] |= bit;
}

static void print_base64(const uint8_t *bytes, size_t length) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < length; i += 3) {
    uint32_t three = (uint32_t)bytes[i] << 16;
    if (i + 1 < length) three |= (uint32_t)bytes[i + 1] << 8;
    if (i + 2 < length) three |= bytes[i + 2];
    putchar(digits[three >> 18]);
    putchar(digits[three >> 12 & 63]);
    putchar(i + 1 < length ? digits[three >> 6 & 63] : '=');
    putchar(i + 2 < length ? digits[three & 63] : '=');
  }
}

enum acks { EACH, GROUPED, AUTO };

static enum acks acks(const char *word) {
  if (strcmp(word, "each") == 0) return EACH;
  if (strcmp(word, "grouped") == 0) return GROUPED;
  if (strcmp(word, "auto") == 0) return AUTO;
  misused();
}

static void consume(const char *queue, uint16_t prefetch, enum acks mode, uint32_t count) {
  struct seen seen = {.bits = allocate(count / 8 + 1, 1), .count = count};
  open_connection("consumer");
  subscribe(queue, prefetch, mode == AUTO);
  print_ready();
  listen_for_the_end();

  uint32_t received = 0;
  double first = 0, last = 0;
  // The newest delivery, 0 if it is acknowledged.
  uint64_t newest = 0;
  while (!atomic_load(&told)) {
    amqp_envelope_t envelope;
    bool idle = !receive(&envelope);
    if (!idle) {
      if (received++ == 0) first = date();
      see(&seen, envelope.message.body);
      newest = envelope.delivery_tag;
      amqp_destroy_envelope(&envelope);
    }
    // A turn ends when all that has been read from the socket is dealt with.
    bool turn_ends = idle || !(amqp_data_in_buffer(connection) || amqp_frames_enqueued(connection));
    if (newest && (turn_ends || mode == EACH)) {
      if (mode != AUTO) check(amqp_basic_ack(connection, CHANNEL, newest, mode == GROUPED), "acknowledging");
      newest = 0;
      if (turn_ends) last = date();
    }
    if (idle || received % 64 == 0) print_progress(received);
  }
  close_connection();
  printf("{\"event\":\"done\",\"count\":%" PRIu32 ",\"first\":%.4f,\"last\":%.4f", received, first, last);
  printf(",\"repeated\":%" PRIu32 ",\"seen\":\"", seen.repeated);
  print_base64(seen.bits, (count + 7) / 8);
  puts("\"}");
}

static void serve(const char *queue, uint16_t prefetch, enum acks mode) {
  if (mode == GROUPED) misused();
  open_connection("server");
  subscribe(queue, prefetch, mode == AUTO);
  print_ready();
  listen_for_the_end();

  while (!atomic_load(&told)) {
    amqp_envelope_t envelope;
    if (!receive(&envelope)) continue;
    const amqp_basic_properties_t *request = &envelope.message.properties;
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_CORRELATION_ID_FLAG,
                                          .correlation_id = request->correlation_id};
    check(amqp_basic_publish(connection, CHANNEL, amqp_empty_bytes, request->reply_to, false, false, &properties,
                             envelope.message.body),
          "replying");
    if (mode == EACH) check(amqp_basic_ack(connection, CHANNEL, envelope.delivery_tag, false), "acknowledging");
    amqp_destroy_envelope(&envelope);
  }
  close_connection();
  puts("{\"event\":\"done\"}");
}

static void call(const char *queue, uint32_t count, uint32_t size, uint32_t in_flight, bool direct) {
  if (size < 4 || in_flight == 0) misused();
  open_connection("caller");
  char replies[256] = "amq.rabbitmq.reply-to";
  if (!direct) {
    const amqp_queue_declare_ok_t *declared =
        amqp_queue_declare(connection, CHANNEL, amqp_empty_bytes, false, false, true, true, amqp_empty_table);
    check_reply(amqp_get_rpc_reply(connection), "declaring a queue for replies");
    snprintf(replies, sizeof replies, "%.*s", (int)declared->queue.len, (const char *)declared->queue.bytes);
  }
  subscribe(replies, 0, true);
  char *bytes = allocate(size, 1);
  uint64_t *times = allocate(count, sizeof *times);

  print_ready();
  await_start();
  double first = date();
  uint32_t called = 0, answered = 0;
  while (answered < count && !atomic_load(&told)) {
    for (; called < count && called - answered < in_flight; called++) {
      char id[16];
      snprintf(id, sizeof id, "%" PRIu32, called);
      amqp_basic_properties_t properties = {._flags = AMQP_BASIC_REPLY_TO_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG,
                                            .reply_to = amqp_cstring_bytes(replies),
                                            .correlation_id = amqp_cstring_bytes(id)};
      times[called] = now();
      publish(queue, (amqp_bytes_t){.len = size, .bytes = bytes}, &properties);
    }
    amqp_envelope_t envelope;
    if (!receive(&envelope)) continue;
    char id[16];
    amqp_bytes_t reply_id = envelope.message.properties.correlation_id;
    snprintf(id, sizeof id, "%.*s", (int)reply_id.len, (const char *)reply_id.bytes);
    uint32_t answer = number(id);
    if (answer >= called) fail("an answer to a question that nobody has asked");
    times[answer] = now() - times[answer];
    amqp_destroy_envelope(&envelope);
    if (++answered % 64 == 0) print_progress(answered);
  }
  double last = date();
  close_connection();
  print_done(answered, first, last, answered == count ? times : NULL);
}

static bool direct(const char *word) {
  if (strcmp(word, "direct") != 0 && strcmp(word, "exclusive") != 0) misused();
  return *word == 'd';
}

int main(int count, char **words) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char *role = count > 2 ? words[1] : "";
  if (strcmp(role, "producer") == 0 && count == 7)
    produce(words[2], number(words[3]), number(words[4]), number(words[5]), number(words[6]));
  else if (strcmp(role, "consumer") == 0 && count == 6)
    consume(words[2], (uint16_t)number(words[3]), acks(words[4]), number(words[5]));
  else if (strcmp(role, "server") == 0 && count == 5)
    serve(words[2], (uint16_t)number(words[3]), acks(words[4]));
  else if (strcmp(role, "caller") == 0 && count == 7)
    call(words[2], number(words[3]), number(words[4]), number(words[5]), direct(words[6]));
  else
    misused();
}
