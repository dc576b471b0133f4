import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { expect, it } from 'vitest';
import type { BusTransport, SubscriptionOptions } from '../bus.ports.js';
import type { BusEvent } from '../bus-event.js';
import { BusContext, BusStrategy } from './bus.strategy.js';
import { OnEvent } from './on-event.decorator.js';

const event: BusEvent = {
  name: 'process.requested',
  id: 'e1',
  type: 'ProcessRequested',
  schemaVersion: 1,
  subject: 'c1-p',
  sequence: 1,
  time: '2026-01-01T00:00:00.000Z',
  source: '/baton/c1/1',
  data: { priority: 5 },
};

/** Hands to the subscription what a test wants delivered. */
class FakeTransport implements BusTransport {
  readonly subscriptions: SubscriptionOptions[] = [];
  subscribe(options: SubscriptionOptions) {
    this.subscriptions.push(options);
    return { start: async () => undefined, stop: async () => undefined, healthy: true };
  }
  deliver(what: BusEvent, at = 0): Promise<void> {
    const { subscriber, handle } = this.subscriptions[at]!;
    const signal = new AbortController().signal;
    return handle(what, { subscriber, attempt: 1, signal, transaction: () => Promise.reject(new Error('none')) });
  }
}

async function start(controllers: (new () => object)[], transport: BusTransport, subscribers = ['one']) {
  @Module({ controllers })
  class SpecModule {}
  const app = await NestFactory.create(SpecModule, new FastifyAdapter(), { logger: false, abortOnError: false });
  for (const subscriber of subscribers)
    app.connectMicroservice({ strategy: new BusStrategy({ subscriber, mode: 'inbox', transport }) });
  await app.startAllMicroservices();
  return app;
}

it('subscribes to what its handlers name, calls them with event and context, and waits for them', async () => {
  const seen: unknown[] = [];
  @Controller()
  class Handlers {
    @OnEvent('process.requested')
    async requested(@Payload() what: BusEvent, @Ctx() context: BusContext) {
      await Promise.resolve();
      seen.push([what.id, context.delivery.subscriber]);
    }
    @OnEvent(['process.completed', 'process.failed'])
    ended() {
      seen.push('ended');
    }
  }
  const transport = new FakeTransport();
  const app = await start([Handlers], transport);
  expect([...transport.subscriptions[0]!.events]).toEqual(['process.requested', 'process.completed', 'process.failed']);
  await transport.deliver(event);
  expect(seen).toEqual([['e1', 'one']]);
  await app.close();
});

it('passes on what a handler throws, as it is', async () => {
  const failure = new TypeError('a bug');
  @Controller()
  class Handlers {
    @OnEvent('process.requested')
    requested() {
      throw failure;
    }
  }
  const transport = new FakeTransport();
  const app = await start([Handlers], transport);
  await expect(transport.deliver(event)).rejects.toBe(failure);
  await app.close();
});

it('gives each subscriber its own handlers', async () => {
  const seen: string[] = [];
  @Controller()
  class Handlers {
    @OnEvent('process.requested', 'one')
    one() {
      seen.push('one');
    }
    @OnEvent('process.requested', 'two')
    two() {
      seen.push('two');
    }
  }
  const transport = new FakeTransport();
  const app = await start([Handlers], transport, ['one', 'two']);
  await transport.deliver(event, 1);
  expect(seen).toEqual(['two']);
  await app.close();
});

it('does not start with two handlers of one subscriber for one event', async () => {
  @Controller()
  class First {
    @OnEvent('process.requested')
    a() {}
  }
  @Controller()
  class Second {
    @EventPattern<string>('process.requested')
    b() {}
  }
  await expect(start([First, Second], new FakeTransport())).rejects.toThrow(
    /"one" has two handlers for "process.requested"/,
  );
});

it('does not start with a request handler', async () => {
  @Controller()
  class Handlers {
    @MessagePattern('process.requested')
    a() {}
  }
  await expect(start([Handlers], new FakeTransport())).rejects.toThrow(/answers no requests/);
});
