/** A running RabbitMQ. */
export interface Broker {
  /** The environment variables that name it. */
  env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

/**
 * Finds a broker for the tests: the one at AMQP_URL, or one that it starts in Docker and removes at the end.
 *
 * @returns The broker, when it accepts connections.
 * @throws When AMQP_URL is not set and there is no Docker.
 */
export async function findBroker(): Promise<Broker> {
  if (process.env.AMQP_URL) return { env: {}, stop: async () => {} };

  const { GenericContainer, Wait } = await import("testcontainers");
  /** Testcontainers publishes ports on all interfaces. This one can be reached from this machine only. */
  class LocalContainer extends GenericContainer {
    protected override async beforeContainerCreated(): Promise<void> {
      const bindings = this.hostConfig.PortBindings as Record<string, { HostIp?: string }[]>;
      for (const binding of Object.values(bindings).flat()) binding.HostIp = "127.0.0.1";
    }
  }
  const container = await new LocalContainer("rabbitmq:4-management")
    .withExposedPorts(5672, 15672)
    .withWaitStrategy(Wait.forLogMessage("Server startup complete"))
    // ms; a slow machine may take that long to start it.
    .withStartupTimeout(120_000)
    .start();
  return {
    env: {
      AMQP_URL: `amqp://guest:guest@127.0.0.1:${container.getMappedPort(5672)}`,
      RABBITMQ_MANAGEMENT_URL: `http://guest:guest@127.0.0.1:${container.getMappedPort(15672)}`,
    },
    async stop() {
      await container.stop();
    },
  };
}
