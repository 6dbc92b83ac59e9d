/**
 * What a server says about itself, for `pointsman doctor`. Implementations: `adapters/redis`, `adapters/weaviate`.
 * Nothing but advice rests on it.
 */
export interface Inspection {
  /**
   * Settings and versions by name, as the server spells them; one that it does not tell is missing. Names are those
   * of the adapter's own documentation.
   * @throws {Failure} `LEDGER_UNAVAILABLE` or `STORE_UNAVAILABLE` when the server does not answer at all.
   */
  inspect(signal: AbortSignal): Promise<ReadonlyMap<string, string>>
}
