// A producer and a consumer on librabbitmq, C's client for RabbitMQ, to see how near the limit Node comes. They are
// workers (src/engine/worker.ts) and take the options of src/engine/roles.ts. The address comes from AMQP_URL.
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
                  "       amqp consumer <queue> <prefetch> <each|grouped|auto> <messages>\n");
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
  static double last;
  static uint32_t said;
  double time = date();
  if (count == said || time - last < 100) return;
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

/** Messages that the broker has not confirmed yet. Delivery tags begin at 1, as this array does. */
struct unconfirmed {
  bool *confirmed;
  /** All below have been confirmed. */
  uint32_t lowest;
  uint32_t count;
};

static void confirm(struct unconfirmed *those, uint64_t tag) {
  if (!those->confirmed[tag]) those->count--;
  those->confirmed[tag] = true;
}

/** Waits for the broker's next frame, and notes the confirms in it. */
static void await_confirm(struct unconfirmed *those, uint32_t published) {
  amqp_frame_t frame;
  amqp_maybe_release_buffers(connection);
  check(amqp_simple_wait_frame(connection, &frame), "waiting for confirms");
  if (frame.frame_type != AMQP_FRAME_METHOD) return;
  if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
    fail("the broker answered %s", amqp_method_name(frame.payload.method.id));
  const amqp_basic_ack_t *ack = frame.payload.method.decoded;
  if (ack->delivery_tag > published) fail("the broker confirmed what was not published");
  for (uint32_t tag = those->lowest; ack->multiple && tag < ack->delivery_tag; tag++) confirm(those, tag);
  confirm(those, ack->delivery_tag);
  while (those->lowest <= published && those->confirmed[those->lowest]) those->lowest++;
}

static void produce(const char *queue, uint32_t count, uint32_t size, bool persistent, uint32_t window) {
  if (size < 4) misused();
  open_connection("producer");
  struct unconfirmed unconfirmed = {.lowest = 1};
  if (window > 0) {
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
    if (window > 0) unconfirmed.count++;
    check(amqp_basic_publish(connection, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(queue), false, false,
                             &properties, body),
          "publishing");
    // What has come already costs no system call.
    while (unconfirmed.count > 0 && (unconfirmed.count >= window || amqp_data_in_buffer(connection)))
      await_confirm(&unconfirmed, published);
    if (published % 64 == 0) print_progress(published);
  }
  while (unconfirmed.count > 0) await_confirm(&unconfirmed, published);
  if (window == 0) {
    // The answer means that the broker has read all that came before.
    amqp_queue_declare(connection, CHANNEL, amqp_cstring_bytes(queue), true, false, false, false, amqp_empty_table);
    check_reply(amqp_get_rpc_reply(connection), "looking at the queue");
  }
  double last = date();
  printf("{\"event\":\"done\",\"count\":%" PRIu32 ",\"first\":%.4f,\"last\":%.4f}\n", published, first, last);
  // RabbitMQ 3.10 forgets some unconfirmed messages when the channel closes before a quorum queue has them.
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
  if (label >= seen->count) fail("message %" PRIu32 " is none of the run's", label);
  uint8_t bit = (uint8_t)(1u << (label % 8));
  if (seen->bits[label / 8] & bit) seen->repeated++;
  seen->bits[label / 8] |= bit;
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
  for (size_t i = 0; i < (count + 7) / 8; i++) printf("%02x", seen.bits[i]);
  puts("\"}");
}

int main(int count, char **words) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char *role = count > 2 ? words[1] : "";
  if (strcmp(role, "producer") == 0 && count == 7)
    produce(words[2], number(words[3]), number(words[4]), number(words[5]), number(words[6]));
  else if (strcmp(role, "consumer") == 0 && count == 6)
    consume(words[2], (uint16_t)number(words[3]), acks(words[4]), number(words[5]));
  else
    misused();
}
