import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** The bits of an address of IPv6 that name its network: whoever has one address of it has them all. */
const networkBits = 64;
/** What stands before an IPv4 address in IPv6 (RFC 4291, section 2.5.5.2). */
const mapped = /^::ffff:(?=\d+\.)/i;

/** Tells from which address a request comes: through a proxy that is trusted, the one that the proxy forwards. */
export class CallerAddresses {
  readonly #proxies = new BlockList();

  /** @param proxies addresses, or networks as `10.0.0.0/8` */
  constructor(proxies: readonly string[]) {
    for (const proxy of proxies) {
      const [address = '', bits] = proxy.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#proxies.addAddress(address, family);
      else this.#proxies.addSubnet(address, Number(bits), family);
    }
  }

  /** Of a request. What a proxy forwards that is not trusted is not believed. */
  of({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    const direct = plain(socket.remoteAddress);
    if (!this.isProxy(direct)) return grouped(direct);
    // Each proxy adds at the end whom it was asked by: from there backwards, the first that is no proxy of ours.
    const forwarded = [headers['x-forwarded-for'] ?? []]
      .flat()
      .join(',')
      .split(',')
      .map((each) => plain(each.trim()));
    const caller = forwarded.findLast((each) => !this.isProxy(each));
    return grouped(caller !== undefined && isIP(caller) !== 0 ? caller : direct);
  }

  isProxy(address: string | undefined): boolean {
    const given = plain(address);
    return isIP(given) !== 0 && this.#proxies.check(given, isIPv6(given) ? 'ipv6' : 'ipv4');
  }
}

/** The address at the other end of a connection, as `CallerAddresses` would tell it without proxies. */
export function addressOf(address: string | undefined): string {
  return grouped(plain(address));
}

function plain(address = ''): string {
  return address.replace(mapped, '');
}

function grouped(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const begin = head.split(':').filter((each) => each !== '');
  const end = tail?.split(':').filter((each) => each !== '') ?? [];
  const words = tail === undefined ? begin : [...begin, ...Array.from({ length: 8 - begin.length - end.length }, () => '0'), ...end];
  return `${words
    .slice(0, networkBits / 16)
    .map((each) => Number.parseInt(each, 16).toString(16))
    .join(':')}::/${networkBits}`;
}
