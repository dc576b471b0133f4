import { BaseRpcContext, type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import type { BusTransport, DeliveryContext, DeliveryMode, Subscription } from '../bus.ports.js';
import type { BusEvent } from '../bus-event.js';
import { transportOf } from './on-event.decorator.js';

/** Second argument of a handler. */
export class BusContext extends BaseRpcContext<[DeliveryContext]> {
  get delivery(): DeliveryContext {
    return this.args[0];
  }
}

/**
 * One subscriber of the bus as a Nest microservice: `app.connectMicroservice({ strategy })`. Its events are the
 * patterns of its handlers.
 * Invariant: an event of a subscriber has one handler, or the application does not start.
 */
export class BusStrategy extends Server implements CustomTransportStrategy {
  override transportId: symbol;
  #subscription: Subscription | null = null;

  constructor(
    private readonly options: {
      subscriber: string;
      mode: DeliveryMode;
      transport: BusTransport;
      /** Hints only: events are told from here on, those of before are not. */
      onStart?(): void;
    },
  ) {
    super();
    this.transportId = transportOf(options.subscriber);
  }

  override addHandler(pattern: unknown, callback: MessageHandler, isEventHandler = false, extras = {}): void {
    const { subscriber } = this.options;
    const event = this.normalizePattern(String(pattern));
    if (!isEventHandler)
      throw new Error(`The bus answers no requests: handle "${event}" with @OnEvent, not with @MessagePattern.`);
    if (this.messageHandlers.has(event))
      throw new Error(
        `The subscriber "${subscriber}" has two handlers for "${event}": an event is handled once. Call both from one handler, or give one of them a subscriber of its own.`,
      );
    super.addHandler(event, callback, isEventHandler, extras);
  }

  listen(callback: (error?: unknown) => void): void {
    const { subscriber, mode, transport } = this.options;
    this.#subscription = transport.subscribe({
      subscriber,
      mode,
      events: new Set(this.messageHandlers.keys()),
      handle: (event, delivery) => this.#handle(event, delivery),
      onStart: () => this.options.onStart?.(),
    });
    this.#subscription.start().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  async close(): Promise<void> {
    await this.#subscription?.stop();
  }

  get healthy(): boolean {
    return this.#subscription?.healthy ?? false;
  }

  // biome-ignore lint/complexity/noBannedTypes: Nest's own signature
  override on<E extends string, C extends Function>(event: E, _callback: C): never {
    throw new Error(`The bus emits no "${event}": look at its health and its metrics.`);
  }

  override unwrap<T>(): T {
    throw new Error('The bus has no client to unwrap: it is used by its port.');
  }

  /** Settles when everything that the handler began is over. */
  async #handle(event: BusEvent, delivery: DeliveryContext): Promise<void> {
    const handler = this.messageHandlers.get(event.name) ?? this.messageHandlers.get('*');
    if (!handler) return;
    const result = await handler(event, new BusContext([delivery]));
    await lastValueFrom(this.transformToObservable(result), { defaultValue: undefined });
  }
}
