import {startContainerHost, type ContainerHost} from './container-host.js'

let starting: Promise<ContainerHost> | undefined

/** The managers that all files of interop tests share, started for the first of them and stopped after the last. */
export function sharedHost(test: Mocha.Context): Promise<ContainerHost> {
  starting ??= startContainerHost(test)
  return starting
}

after('stop the shared managers', async function () {
  this.timeout(60_000)
  // Where it did not come up, the tests have said so.
  await (await starting?.catch(() => undefined))?.close()
})
