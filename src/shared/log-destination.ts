/** The words of log_destination, as they were written but for case and blanks. */
export function logDestinations({ log_destination }: { readonly log_destination: string }): readonly string[] {
  return log_destination.split(',').map((word) => word.trim().toLowerCase());
}
