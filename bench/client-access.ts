/** How clients come in at a target; the server behind it trusts everybody and is spoken to in clear. */
export interface ClientAccess {
  /** libpq's sslmode=require; false is sslmode=disable. */
  readonly encrypted: boolean;
  /** Clients are asked for a password by scram-sha-256; false is trust. */
  readonly scram: boolean;
}

/** In clear and without a password. */
export const plainAccess: ClientAccess = { encrypted: false, scram: false };

/** Over TLS and without a password. */
export const tlsAccess: ClientAccess = { encrypted: true, scram: false };

/** In clear, with a password by SCRAM. */
export const scramAccess: ClientAccess = { encrypted: false, scram: true };
