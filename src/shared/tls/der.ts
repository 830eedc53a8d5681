/** As much of ASN.1's DER as certificates need. OpenSSL has read them before: what is malformed here is a fault of ours. */

export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
}

export const Der = { bitString: 0x03, oid: 0x06, utf8String: 0x0c, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30, set: 0x31, context0: 0xa0 } as const;

/** The elements that follow each other in `bytes`. @throws RangeError */
export function derElements(bytes: Buffer): DerElement[] {
  const found: DerElement[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes.readUInt8(at);
    let sizeBytes = bytes.readUInt8(at + 1);
    at += 2;
    if (sizeBytes > 0x7f) {
      const lengthBytes = sizeBytes & 0x7f;
      if (lengthBytes === 0 || lengthBytes > 4) throw new RangeError('DER length');
      sizeBytes = bytes.readUIntBE(at, lengthBytes);
      at += lengthBytes;
    }
    if (at + sizeBytes > bytes.length) throw new RangeError('DER element beyond its end');
    found.push({ tag, content: bytes.subarray(at, at + sizeBytes) });
    at += sizeBytes;
  }
  return found;
}

/** The elements inside the one that `bytes` begin with. @throws RangeError */
export function derMembers(bytes: Buffer): DerElement[] {
  const [outer] = derElements(bytes);
  if (outer === undefined) throw new RangeError('no DER element');
  return derElements(outer.content);
}

/** `1.2.840.113549` of an OID's content. */
export function oidText(content: Buffer): string {
  const arcs: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte > 0x7f) continue;
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(value / 40));
      arcs.push(first, value - 40 * first);
    } else {
      arcs.push(value);
    }
    value = 0;
  }
  return arcs.join('.');
}

/** The fields of a certificate's signed part, the optional version left out: serial, signature, issuer, validity, subject, … */
export function certificateFields(certificate: Buffer): DerElement[] {
  const [signed] = derMembers(certificate);
  if (signed === undefined) throw new RangeError('empty certificate');
  const fields = derElements(signed.content);
  return fields[0]?.tag === Der.context0 ? fields.slice(1) : fields;
}
