/**
 * dml_adaptive_object_relationship_list: `object:dependent` pairs. A write to the object (a table, or a function,
 * written `name()`) makes the dependent stale as well.
 */

/** A function is kept as `name()`. */
export type ObjectRelationships = ReadonlyMap<string, readonly string[]>;

/** @throws SyntaxError that names the item */
export function parseObjectRelationships(text: string): ObjectRelationships {
  const pairs = new Map<string, string[]>();
  for (const item of text.split(',').map((one) => one.trim()).filter((one) => one !== '')) {
    const sides = item.split(':').map(objectName);
    const [object, dependent] = sides;
    if (sides.length !== 2 || object === undefined || object === '' || dependent === undefined || dependent === '') {
      throw new SyntaxError(`"${item}" is not of the form object:object`);
    }
    const known = pairs.get(object);
    if (known === undefined) pairs.set(object, [dependent]);
    else known.push(dependent);
  }
  return pairs;
}

/** The object and all that depends on it, by however many steps. */
export function dependentsOf(relationships: ObjectRelationships, object: string): ReadonlySet<string> {
  const all = new Set([object]);
  for (const one of all) for (const dependent of relationships.get(one) ?? []) all.add(dependent);
  return all;
}

/** Without quotes and schema, as names are compared here: two tables of one name count as one, which is only slower. */
function objectName(written: string): string {
  const name = written.trim().split('.').at(-1)?.trim() ?? '';
  const quoted = /^"(.*)"(\(\))?$/.exec(name);
  return quoted === null ? name.toLowerCase() : `${(quoted[1] ?? '').replaceAll('""', '"')}${quoted[2] ?? ''}`;
}
