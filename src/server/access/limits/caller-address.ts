import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { ipv6Words } from '../../../core/ipv6-words.ts';

/** The bits of an address of IPv6 that name its network: whoever has one address of it has them all. */
const networkBits = 64;
/** What stands before an IPv4 address in IPv6 (RFC 4291, section 2.5.5.2). */
const mapped = /^::ffff:(?=\d+\.)/i;

/** Tells from which address a request comes: through a proxy that is trusted, the one that the proxy forwards. */
export class CallerAddresses {
  readonly #proxies = new BlockList();
  readonly #hasProxies: boolean;

  /** @param proxies addresses, or networks as `10.0.0.0/8` */
  constructor(proxies: readonly string[]) {
    this.#hasProxies = proxies.length > 0;
    for (const proxy of proxies) {
      const [address = '', bits] = proxy.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#proxies.addAddress(address, family);
      else this.#proxies.addSubnet(address, Number(bits), family);
    }
  }

  /** Of a request, as `networkOf` a connection. */
  networkOf(request: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    return grouped(this.of(request));
  }

  /** Of a request. What a proxy forwards that is not trusted is not believed. */
  of({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    const direct = plain(socket.remoteAddress);
    if (!this.isProxy(direct)) return direct;
    // Each proxy adds at the end whom it was asked by: from there backwards, the first that is no proxy of ours.
    const forwarded = [headers['x-forwarded-for'] ?? []]
      .flat()
      .join(',')
      .split(',')
      .map((each) => plain(each.trim()));
    const caller = forwarded.findLast((each) => !this.isProxy(each));
    return caller !== undefined && isIP(caller) !== 0 ? caller : direct;
  }

  isProxy(address: string | undefined): boolean {
    // Asked with each request.
    if (!this.#hasProxies) return false;
    const given = plain(address);
    return isIP(given) !== 0 && this.#proxies.check(given, isIPv6(given) ? 'ipv6' : 'ipv4');
  }
}

/** The address at the other end of a connection; of IPv6 its network. */
export function networkOf(address: string | undefined): string {
  return grouped(plain(address));
}

function plain(address = ''): string {
  return address.replace(mapped, '');
}

function grouped(address: string): string {
  if (!address.includes(':')) return address;
  const network = ipv6Words(address).slice(0, networkBits / 16);
  return `${network.map((word) => word.toString(16)).join(':')}::/${networkBits}`;
}
