import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/**
 * What one process counts, for Prometheus. Names begin with `pointsman_` and end with their unit; memory, processor
 * and event loop of the process itself are there from the start.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #collectors: (() => void)[] = []

  /** @param service - becomes the label `service` of every value. */
  constructor(service: string) {
    this.#registry.setDefaultLabels({ service })
    collectDefaultMetrics({ register: this.#registry })
  }

  counter<Label extends string = never>(
    name: `pointsman_${string}_total`,
    help: string,
    labelNames: readonly Label[] = []
  ): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] })
  }

  gauge<Label extends string = never>(
    name: `pointsman_${string}`,
    help: string,
    labelNames: readonly Label[] = []
  ): Gauge<Label> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry] })
  }

  histogram<Label extends string = never>(
    name: `pointsman_${string}`,
    help: string,
    buckets: readonly number[],
    labelNames: readonly Label[] = []
  ): Histogram<Label> {
    return new Histogram({
      name,
      help,
      buckets: [...buckets],
      labelNames: [...labelNames],
      registers: [this.#registry]
    })
  }

  /** Called before every rendering, to set gauges from what is true at that moment. */
  beforeRender(collect: () => void): void {
    this.#collectors.push(collect)
  }

  /** The text that Prometheus scrapes. */
  async render(): Promise<{ readonly contentType: string; readonly body: string }> {
    for (const collect of this.#collectors) collect()
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() }
  }
}
