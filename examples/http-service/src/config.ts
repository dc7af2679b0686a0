import { pino } from "pino";
import { z } from "zod";

/** ms; what remains of CLOSE_DEADLINE to close the connection, when everything in hand is finished. */
export const GOODBYE = 2_000;

const milliseconds = z.coerce.number().int().min(1);

const Config = z
  .object({
    /** What shared/amqp takes: several nodes of a cluster have commas between them. */
    AMQP_URL: z.string().default("amqp://localhost"),
    HOST: z.string().default("127.0.0.1"),
    PORT: z.coerce.number().int().min(1).max(65535).default(3070),
    LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
    /** How long a request waits for the broker's confirm, in ms. */
    CONFIRM_DEADLINE: milliseconds.default(2_000),
    /** How long to finish what is in hand after SIGTERM, in ms. Docker kills a container after 10 s. */
    CLOSE_DEADLINE: milliseconds.default(8_000),
    /** Where the worker keeps the orders that it has processed. */
    ORDERS_FOLDER: z.string().min(1).default("orders"),
  })
  .refine(({ CONFIRM_DEADLINE, CLOSE_DEADLINE }) => CLOSE_DEADLINE >= CONFIRM_DEADLINE + GOODBYE, {
    message: `It must be at least ${GOODBYE} ms longer than CONFIRM_DEADLINE`,
    path: ["CLOSE_DEADLINE"],
  });

const { data, error } = Config.safeParse(process.env);
if (!data) {
  // No value is printed: a URL may hold a password.
  console.error(`The environment variables are wrong.\n${z.prettifyError(error)}`);
  process.exit(1);
}

/** What the environment variables say. When one is wrong, stderr says which, and the process exits with code 1. */
export const config = data;

/** One line of JSON for each event, on stdout. */
export const log = pino({ level: config.LOG_LEVEL });
