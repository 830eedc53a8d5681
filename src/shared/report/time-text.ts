/** Times as Pgpool-II shows them. */

/** Local time, `YYYY-MM-DD HH:MM:SS`; '' for 0, which stands for never. */
export function timestamp(ms: number): string {
  if (ms === 0) return '';
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** A time that is left, `M:SS`. */
export function countdown(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}
