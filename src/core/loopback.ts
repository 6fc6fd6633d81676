/** A host, with a port or without one. No user, path or escape: a browser puts none into `Host` either. */
const hostForm = /^(?:\[[\da-f:.]+\]|[^\s[\]:/?#@\\%]+)(?::\d{0,5})?$/i;
/** An IPv4 address in IPv6 (RFC 4291, 2.5.5.2), as the URL standard writes it. */
const mappedForm = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/;

/**
 * A host in one spelling, whatever it was: an address of a socket, `--host`, the host of a URL, a `Host` header (the port
 * is left out). Names in lower case, IPv4 as four numbers, IPv6 short and in brackets. Undefined: it is no host.
 */
export function normalHost(given: string): string | undefined {
  const isBareIpv6 = !given.startsWith('[') && given.split(':').length > 2;
  const host = isBareIpv6 ? `[${given}]` : given;
  if (!hostForm.test(host)) return undefined;
  const name = URL.parse(`http://${host}`)?.hostname;
  const mapped = name === undefined ? null : mappedForm.exec(name);
  if (mapped === null) return name;
  const [high, low] = [parseInt(mapped[1] ?? '', 16), parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/**
 * Whether a host is this machine and nobody else's: `localhost`, 127.0.0.0/8 or ::1, in any spelling. Decided by the
 * parsed address: `127.evil.example` is a name like any other.
 */
export function isLoopback(host: string): boolean {
  const name = normalHost(host);
  return name === 'localhost' || name === '[::1]' || /^127(?:\.\d+){3}$/.test(name ?? '');
}
