import { StackError } from '../../tools/stack/stack-error.ts'

const otherwise = 'or leave TEST_STACK away: then the servers run natively'

/**
 * @param connect - rejects where no container engine answers.
 * @param askCompose - rejects where the docker command has no compose.
 * @throws {StackError} with the remedy.
 */
export async function requireEngine(
  connect: () => Promise<unknown>,
  askCompose: () => Promise<unknown>
): Promise<void> {
  await connect().catch((cause: unknown) => {
    throw new StackError(
      `TEST_STACK=containers needs a container engine, and none answers: start Docker, or set DOCKER_HOST to one; ${otherwise}`,
      { cause }
    )
  })
  await askCompose().catch((cause: unknown) => {
    throw new StackError(
      `TEST_STACK=containers needs Docker Compose 2, and "docker compose version" fails: install the plugin (docker-compose-plugin, https://docs.docker.com/compose/install); ${otherwise}`,
      { cause }
    )
  })
}
