/** Text as a word of a shell script, and as a value of a configuration file. */

export function shellWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** As postgresql.conf and pgpool.conf have it: strings in quotes, numbers and switches bare. */
export function settingLines(settings: Readonly<Record<string, string | number | boolean>>): string {
  const shown = (value: string | number | boolean): string => {
    if (typeof value === 'boolean') return value ? 'on' : 'off';
    return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
  };
  return Object.entries(settings).map(([name, value]) => `${name} = ${shown(value)}\n`).join('');
}
