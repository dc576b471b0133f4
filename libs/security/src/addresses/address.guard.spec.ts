import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressGuard, parseAllowedAddresses } from './address.guard.js';
import { AddressRefused, checkHost, guardedLookup } from './guarded.lookup.js';

const guard = new AddressGuard();

describe('outbound address guard', () => {
  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '100.100.100.200',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:169.254.169.254',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fe80::1%eth0',
    'fe80::1',
    'fd00::1',
    'fd00:ec2::254',
    'ff02::1',
    '0:0:0:0:0:ffff:0a00:0001',
    '::ffff:0:127.0.0.1',
    '[::1]',
  ])('refuses %s', (address) => expect(guard.check(address)).not.toBeNull());

  it.each(['1.1.1.1', '93.184.216.34', '2606:4700:4700::1111', '172.32.0.1', '::ffff:8.8.8.8', '11.0.0.1'])(
    'lets %s through',
    (address) => expect(guard.check(address)).toBeNull(),
  );

  it('refuses every spelling of an IPv4 address inside IPv6 exactly when it refuses the address itself', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ip) => {
        const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
        const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        const own = guard.check(ip) === null;
        expect(guard.check(`::ffff:${ip}`) === null).toBe(own);
        expect(guard.check(`::ffff:${hex}`) === null).toBe(own);
        expect(guard.check(`64:ff9b::${ip}`) === null).toBe(own);
        expect(guard.check(`2002:${hex}::1`) === null).toBe(own);
      }),
    );
  });

  it('allows what the configuration allows, and nothing beside it', () => {
    const allowing = new AddressGuard(parseAllowedAddresses('127.0.0.1/32, ::1'));
    expect(allowing.check('127.0.0.1')).toBeNull();
    expect(allowing.check('::ffff:127.0.0.1')).toBeNull();
    expect(allowing.check('::1')).toBeNull();
    expect(allowing.check('127.0.0.2')).not.toBeNull();
    expect(new AddressGuard(['*']).check('10.0.0.1')).toBeNull();
  });

  it.each(['banana', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', '::1/129'])(
    'names the entry %s that is no range',
    (entry) => expect(() => parseAllowedAddresses(`1.1.1.1 ${entry}`)).toThrow(entry),
  );

  it('judges decimal, octal and hexadecimal hosts as the URL parser reads them', () => {
    for (const host of ['2130706433', '0x7f.1', '0177.0.0.1', '127.1']) {
      expect(checkHost(guard, new URL(`http://${host}/`).hostname)).toBeInstanceOf(AddressRefused);
    }
    expect(checkHost(guard, new URL('http://[::ffff:127.0.0.1]/').hostname)).toBeInstanceOf(AddressRefused);
    expect(checkHost(guard, 'example.org')).toBeNull();
  });
});

describe('guarded lookup', () => {
  const resolving = (...addresses: string[]) =>
    guardedLookup(guard, (_host, _options, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
    );
  const look = (lookup: ReturnType<typeof resolving>, all: boolean) =>
    new Promise<unknown>((done) =>
      lookup('name.example', { all }, (error, address, family) =>
        done(error ?? (family ? [address, family] : address)),
      ),
    );

  it('refuses a name that resolves to a private address', async () => {
    expect(await look(resolving('10.0.0.5'), true)).toBeInstanceOf(AddressRefused);
    expect(await look(resolving('::ffff:10.0.0.5'), false)).toBeInstanceOf(AddressRefused);
  });

  it('hands out only checked addresses when a name has good and bad ones', async () => {
    expect(await look(resolving('127.0.0.1', '1.1.1.1'), true)).toEqual([{ address: '1.1.1.1', family: 4 }]);
    expect(await look(resolving('127.0.0.1', '1.1.1.1'), false)).toEqual(['1.1.1.1', 4]);
  });
});
