// The health check of every image: asks the service that runs in the same container, and exits with 0 when it is ready.
// What it says is kept by the engine, see `docker inspect`.

const { HEALTH_PORT, CONTROLLER_PORT, HEALTH_PATH } = process.env
const url = `http://127.0.0.1:${HEALTH_PORT || CONTROLLER_PORT}${HEALTH_PATH || '/readyz'}`

// Below the time limit of the check, so that the reason is told.
const answerMs = 4000

try {
  const response = await fetch(url, { signal: AbortSignal.timeout(answerMs) })
  console.log(`${response.status} ${await response.text()}`)
  process.exitCode = response.ok ? 0 : 1
} catch (error) {
  console.log(`${url}: ${error.cause?.message ?? error.message}`)
  process.exitCode = 1
}
