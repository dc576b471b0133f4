import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import type { AddressGuard } from './address.guard.js';

/** Refused before anything was sent: always a known failure. */
export class AddressRefused extends Error {
  override name = 'AddressRefused';
  readonly code = 'address-refused';
  constructor(host: string, refusals: readonly { address: string; kind: string }[]) {
    const list = refusals.map((refusal) => `${refusal.address} (${refusal.kind})`).join(', ');
    super(
      `Calls to ${host} are refused: ${list}. An administrator can allow the range with --allow-address CIDR or BATON_ALLOW_ADDRESSES`,
    );
  }
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;
export type Lookup = (host: string, options: LookupOptions, callback: LookupCallback) => void;
export type ResolveAll = (
  host: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const resolveBySystem: ResolveAll = (host, options, callback) =>
  systemLookup(host, { ...options, all: true }, (error, addresses) => callback(error, addresses));

/**
 * A `lookup` for net, tls and undici: resolves once, lets through only what the guard lets through, and so pins the
 * connection to an address that was checked. A name that answers differently the next time changes nothing.
 */
export function guardedLookup(guard: AddressGuard, resolve: ResolveAll = resolveBySystem): Lookup {
  return (host, options, callback) => {
    resolve(host, options, (error, addresses) => {
      if (error) return callback(error, []);
      const refusals = addresses.flatMap((entry) => guard.check(entry.address) ?? []);
      const allowed = addresses.filter((entry) => guard.check(entry.address) === null);
      const first = allowed[0];
      if (!first) return callback(new AddressRefused(host, refusals), []);
      if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

/** A host that is an address already is not looked up by anybody: it is checked here. */
export function checkHost(guard: AddressGuard, host: string): AddressRefused | null {
  const bare = host.replace(/^\[|\]$/g, '');
  if (isIP(bare.replace(/%.*$/, '')) === 0) return null;
  const refusal = guard.check(bare);
  return refusal ? new AddressRefused(host, [refusal]) : null;
}
