/**
 * The subject of a certificate: its common name, and the whole in the form that `clientname=DN` compares: RFC 2253 as
 * OpenSSL writes it (last part first, `,` between parts, `+` inside one), bytes beyond ASCII not escaped.
 */
import { certificateFields, Der, derElements, oidText, type DerElement } from './der.js';

const commonNameOid = '2.5.4.3';
const bmpString = 0x1e;
const universalString = 0x1c;
/** UTF8String, NumericString, PrintableString, T61String, IA5String, VisibleString. */
const byteStrings: ReadonlySet<number> = new Set([0x0c, 0x12, 0x13, 0x14, 0x16, 0x1a]);

/** OpenSSL's short names. */
const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.13': 'description',
  '2.5.4.15': 'businessCategory',
  '2.5.4.17': 'postalCode',
  '2.5.4.41': 'name',
  '2.5.4.42': 'GN',
  '2.5.4.43': 'initials',
  '2.5.4.44': 'generationQualifier',
  '2.5.4.45': 'x500UniqueIdentifier',
  '2.5.4.46': 'dnQualifier',
  '2.5.4.65': 'pseudonym',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
  '1.2.840.113549.1.9.2': 'unstructuredName',
};

export interface SubjectName {
  /** Null when there is none, or more than one: nobody could say which of them counts. */
  readonly commonName: string | null;
  readonly distinguishedName: string;
  /** A name has a NUL inside, which programs written in C read as its end. */
  readonly hasNul: boolean;
}

/** @param certificate in DER @throws RangeError */
export function subjectOf(certificate: Buffer): SubjectName {
  const subject = certificateFields(certificate)[4];
  const parts = subject === undefined ? [] : derElements(subject.content).map(({ content }) => derElements(content).map(readAttribute));
  const attributes = parts.flat();
  const commonNames = attributes.filter(({ oid }) => oid === commonNameOid);
  return {
    commonName: commonNames.length === 1 ? (commonNames[0]?.text ?? null) : null,
    distinguishedName: parts.toReversed().map((part) => part.toReversed().map(attributeText).join('+')).join(','),
    hasNul: attributes.some(({ text }) => text?.includes('\0') === true),
  };
}

interface Attribute {
  readonly oid: string;
  /** Null when its type is no string. */
  readonly text: string | null;
  readonly value: DerElement;
}

function readAttribute({ content }: DerElement): Attribute {
  const [oid, value] = derElements(content);
  if (oid === undefined || value === undefined) throw new RangeError('attribute without type or value');
  return { oid: oidText(oid.content), text: stringOf(value), value };
}

function stringOf({ tag, content }: DerElement): string | null {
  if (tag === Der.utf8String) return content.toString('utf8');
  if (byteStrings.has(tag)) return content.toString('latin1');
  if (tag === bmpString) return new TextDecoder('utf-16be').decode(content);
  if (tag !== universalString) return null;
  let text = '';
  for (let at = 0; at + 4 <= content.length; at += 4) text += String.fromCodePoint(Math.min(content.readUInt32BE(at), 0x10ffff));
  return text;
}

function attributeText({ oid, text, value }: Attribute): string {
  const name = shortNames[oid] ?? oid;
  return `${name}=${text === null || !(oid in shortNames) ? hexText(value) : escaped(text)}`;
}

/** `#` and the value in DER, for what has no text form. */
function hexText({ tag, content }: DerElement): string {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return `#${Buffer.concat([Buffer.from([tag, ...size]), content]).toString('hex').toUpperCase()}`;
}

function escaped(text: string): string {
  const [first = ''] = text;
  let written = '';
  let at = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isEdge = (at === 0 && (first === '#' || first === ' ')) || (at === text.length - 1 && character === ' ');
    if (code < 0x20 || code === 0x7f) written += `\\${code.toString(16).toUpperCase().padStart(2, '0')}`;
    else written += isEdge || ',+"\\<>;'.includes(character) ? `\\${character}` : character;
    at += character.length;
  }
  return written;
}
