// Placeholder: replaced by the parameter table's own type.
export interface Settings { readonly [name: string]: unknown }
