import { BlockList, isIP } from 'node:net';

/** Why an address is refused, or null when it may be reached. */
export type AddressRefusal = { address: string; kind: string } | null;

/** Refused by default (design 7): what is reachable from the house but not meant to be reached from a definition. */
const refusedRanges: readonly [kind: string, ...cidrs: string[]][] = [
  ['unspecified', '0.0.0.0/8', '::/128'],
  ['loopback', '127.0.0.0/8', '::1/128'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'], // cloud metadata lives here
  ['metadata', 'fd00:ec2::254/128', '100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
  ['carrier-grade', '100.64.0.0/10'],
  ['reserved', '192.0.0.0/24', '192.0.2.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4'],
  ['reserved', '100::/64', '2001:db8::/32', '2001::/32', '5f00::/16'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['broadcast', '255.255.255.255/32'],
];

/**
 * Decides which addresses outbound calls may reach. Forms that carry an IPv4 address inside an IPv6 one
 * (`::ffff:`, `::`, NAT64, 6to4) are judged by the address inside, so that no spelling leads around the list.
 */
export class AddressGuard {
  private readonly refused: { kind: string; list: BlockList }[];
  private readonly allowed = new BlockList();
  private readonly everything: boolean;

  /** `allow`: CIDRs or single addresses; `*` allows all. */
  constructor(allow: readonly string[] = []) {
    this.everything = allow.some((entry) => entry.trim() === '*');
    for (const entry of allow) if (entry.trim() !== '*' && entry.trim() !== '') addCidr(this.allowed, entry.trim());
    this.refused = refusedRanges.map(([kind, ...cidrs]) => {
      const list = new BlockList();
      for (const cidr of cidrs) addCidr(list, cidr);
      return { kind, list };
    });
  }

  check(address: string): AddressRefusal {
    if (this.everything) return null;
    const inner = innerAddress(address);
    if (inner === null) return { address, kind: 'not an IP address' };
    const family = isIP(inner) === 6 ? 'ipv6' : 'ipv4';
    if (this.allowed.check(inner, family)) return null;
    const hit = this.refused.find((range) => range.list.check(inner, family));
    return hit ? { address, kind: hit.kind } : null;
  }
}

/** `10.0.0.0/8,::1/128` as configuration gives it. Throws with the entry that is wrong. */
export function parseAllowedAddresses(text: string | undefined): string[] {
  const entries = (text ?? '')
    .split(/[\s,]+/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const probe = new BlockList();
  for (const entry of entries) if (entry !== '*') addCidr(probe, entry);
  return entries;
}

function addCidr(list: BlockList, entry: string): void {
  const [address = '', bits] = entry.split('/');
  const version = isIP(address);
  const width = version === 6 ? 128 : 32;
  const length = bits === undefined ? width : Number(bits);
  if (version === 0 || !/^\d*$/.test(bits ?? '') || bits === '' || length > width)
    throw new Error(`"${entry}" is not an address range; expected CIDR notation such as 10.1.0.0/16 or ::1/128`);
  list.addSubnet(address, length, version === 6 ? 'ipv6' : 'ipv4');
}

/** The address that packets really go to: unwraps IPv4 in IPv6 and drops the zone. Null when it is none. */
function innerAddress(address: string): string | null {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const version = isIP(bare);
  if (version === 4) return bare;
  if (version !== 6) return null;
  const groups = expand(bare);
  const last32 = ipv4Of(groups[6] ?? 0, groups[7] ?? 0);
  const head = groups.slice(0, 6);
  const zeros = (from: number, to: number) => head.slice(from, to).every((group) => group === 0);
  const compatible = zeros(0, 6) && (groups[6] !== 0 || (groups[7] ?? 0) > 1);
  const mapped = zeros(0, 5) && head[5] === 0xffff;
  const translated = zeros(0, 4) && head[4] === 0xffff && head[5] === 0;
  const nat64 = head[0] === 0x64 && head[1] === 0xff9b;
  if (compatible || mapped || translated || nat64) return last32;
  if (head[0] === 0x2002) return ipv4Of(head[1] ?? 0, head[2] ?? 0);
  return bare;
}

function ipv4Of(high: number, low: number): string {
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function expand(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : address;
  const [left = '', right] = hex.split('::');
  const parts = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const head = parts(left);
  if (right === undefined) return head;
  const tail = parts(right);
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}
