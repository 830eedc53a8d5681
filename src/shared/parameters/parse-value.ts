/** Turns the text of a value into the type that the table asks for, or says why it cannot. */
import { integerText, unitsLike } from './format.js';
import type { EnumParameter, ListParameter, NumberParameter, Parameter, Value } from './kinds.js';

/** The message is for people and names the parameter. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}

function invalid(name: string, text: string, hint: string): ValueError {
  return new ValueError(`invalid value for parameter "${name}": "${text}" (${hint})`);
}

/** Any beginning that leaves no doubt will do: `t`, `of`, but not `o`. */
function parseBool(name: string, text: string): boolean {
  const word = text.toLowerCase();
  if (word !== '') {
    if (word === '1' || word === 'on' || 'true'.startsWith(word) || 'yes'.startsWith(word)) return true;
    if (word === '0' || (word !== 'o' && 'off'.startsWith(word)) || 'false'.startsWith(word) || 'no'.startsWith(word)) return false;
  }
  throw invalid(name, text, 'a Boolean is on or off, true or false, yes or no, 1 or 0');
}

/** C's rint(): half goes to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The number at the beginning as strtol and strtod read it (0x… hexadecimal, 0… octal), and what follows it. */
function leadingNumber(text: string): { value: number; rest: string } | null {
  const found = /^\s*([+-]?)(0x[\da-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(.*?)\s*$/is.exec(text);
  if (found === null) return null;
  const [, sign = '', digits = '', rest = ''] = found;
  const octal = /^0\d+$/.test(digits);
  if (octal && /[89]/.test(digits)) return null;
  const value = octal ? Number.parseInt(digits, 8) : Number(digits);
  return { value: sign === '-' ? -value : value, rest };
}

function parseInteger(name: string, text: string, parameter: NumberParameter): number {
  const number = leadingNumber(text);
  if (number === null) throw invalid(name, text, 'an integer is expected');
  if (number.rest === '') return roundHalfEven(number.value);
  if (parameter.unit === undefined) throw invalid(name, text, 'this parameter takes no unit');
  const units = unitsLike(parameter.unit);
  const size = Object.hasOwn(units, number.rest) ? units[number.rest] : undefined;
  if (size === undefined) throw invalid(name, text, `valid units are ${Object.keys(units).toReversed().join(', ')}`);
  return roundHalfEven((number.value * size) / (units[parameter.unit] ?? 1));
}

function parseFloating(name: string, text: string): number {
  if (!/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(text)) throw invalid(name, text, 'a number is expected');
  return Number(text);
}

/** The default is always valid, even outside the range: there it means "not set". */
function parseNumber(name: string, text: string, parameter: NumberParameter): number {
  const value = parameter.type === 'float' ? parseFloating(name, text) : parseInteger(name, text, parameter);
  const { min, max } = parameter;
  if (value === parameter.default || (value >= min && value <= max)) return value + 0;
  const shown = (bound: number): string => (Number.isInteger(bound) ? integerText(bound) : String(bound));
  throw new ValueError(`${shown(value)} is outside the valid range for parameter "${name}" (${shown(min)} .. ${shown(max)})`);
}

function parseWord(name: string, text: string, parameter: EnumParameter): string {
  const wanted = text.toLowerCase();
  const word = Object.keys(parameter.words).find((candidate) => candidate.toLowerCase() === wanted);
  const alias = parameter.aliases !== undefined && Object.hasOwn(parameter.aliases, wanted) ? parameter.aliases[wanted] : undefined;
  const value = word ?? alias;
  if (value === undefined) throw invalid(name, text, `available values: ${Object.keys(parameter.words).join(', ')}`);
  return value;
}

/** In the list of query patterns a backslash protects the next character, so that ';' can be part of a pattern. */
function splitProtected(text: string): string[] {
  const items = text.match(/(?:\\.|[^;\\])+/gs) ?? [];
  return items.map((item) => item.replaceAll(/\\[\s\S]/g, (pair) => (pair === "\\'" ? "'" : pair)));
}

function parseList(text: string, parameter: ListParameter): readonly string[] {
  const items = parameter.type === 'regex list' && parameter.separator === ';' ? splitProtected(text) : text.split(parameter.separator);
  return items.map((item) => item.trim()).filter((item) => item !== '');
}

/** Numbers come back in the parameter's own unit. Throws ValueError. */
export function parseValue(name: string, text: string, parameter: Parameter): Value {
  switch (parameter.type) {
    case 'bool':
      return parseBool(name, text);
    case 'int':
    case 'int64':
    case 'float':
      return parseNumber(name, text, parameter);
    case 'enum':
      return parseWord(name, text, parameter);
    case 'list':
    case 'regex list':
      return parseList(text, parameter);
    case 'string':
      return text;
  }
}
