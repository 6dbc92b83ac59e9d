// The versions that were proven to work together. Raising one means measuring again: see test/integration/stack*.test.ts.

export const pins = {
  kafka: '4.3.1',
  log4j: '2.25.1',
  registry: '3.3.3',
  /** Of the jar that carries Redis; the server in it calls itself 6.2.11. */
  embeddedRedis: '1.4.3',
  weaviate: '1.38.11',
  minilm: '1.20.0-beta30',
  toxiproxy: '2.12.0',
  mavenDependencyPlugin: '3.8.1',
  helm: '4.3.1',
  kubeconform: '0.8.0'
} as const

/** SHA-256 of what the package sources hand out. Go checks its modules itself, against sum.golang.org. */
export const checksums = {
  /** Of one line `<sha256>  <name>` per jar, sorted by name: a version that slips in anywhere changes it. */
  kafkaJars: 'df322adea3798bf76ab8176f3aa0225fe78488d2a507dd9f90b7c1f1a10f007a',
  registryArchive: '8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63',
  redisServer: '1f716094e08a25faee2bc7626feb9e13464ed89018ac5c376c5e9cff06bdcf52',
  minilmModel: 'afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1',
  minilmTokenizer: 'da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0'
} as const

/** Apicurio 3.3 needs 21; Kafka would do with 17, but one JDK serves both. */
export const oldestJava = 21
