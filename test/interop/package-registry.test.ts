import assert from 'node:assert/strict'
import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {convert, verify} from '../../src/index.js'
import {sha256} from '../helpers/archives.js'
import type {ContainerHost} from '../helpers/container-host.js'
import {startRegistry, type Registry} from '../helpers/registry.js'
import {sharedHost} from '../helpers/shared-host.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'
import {unpackLayout, VECTORS} from '../helpers/vectors.js'

const SHOP = ['samples/repository', 'Shop'] as const

/** Every file below a folder with its digest. Git keeps no empty folders, so that the samples lack them. */
function filesOf(root: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const child of readdirSync(root, {recursive: true, withFileTypes: true})) {
    const full = path.join(child.parentPath, child.name)
    if (child.isFile()) found[path.relative(root, full)] = sha256(readFileSync(full))
  }
  return found
}

function skopeo(from: string, to: string, ...more: readonly string[]): void {
  runTool('skopeo', ['copy', '--quiet', '--insecure-policy', '--override-os', 'windows', ...more, from, to])
}

describe('packages that travel as an image through the tools of others', () => {
  const folder = temporaryFolder()
  let host: ContainerHost
  let registry: Registry | undefined

  before(async function () {
    this.timeout(120_000)
    for (const tool of ['skopeo', 'podman']) requireTool(this, tool)
    registry = await startRegistry(this)
    host = await sharedHost(this)
  })

  after(async () => {
    await registry?.close()
  })

  /** A package as an image, what `travel` makes of that, and packages of what came back: all of the repository. */
  async function travelled(
    [repository, selector]: readonly [string, string],
    name: string,
    travel: (image: string, arrived: string) => void,
    expected: readonly string[] = [],
  ): Promise<void> {
    const at = (part: string) => path.join(folder.path, `${name}-${part}`)
    const sent = await convert(`inbox:${repository}:${selector}`, `docker-archive:${at('sent.tar')}`)
    assert.deepEqual([sent.losses, sent.inexact], [[], []])
    travel(at('sent.tar'), at('arrived.tar'))
    const received = await convert(`docker-archive:${at('arrived.tar')}`, `inbox:${at('packages')}`)
    const codes = received.inexact.map(({code}) => code)
    assert.deepEqual([received.losses, codes], [[], expected])
    assert.deepEqual((await verify(`inbox:${at('packages')}`)).faults, [])
    assert.deepEqual(filesOf(at('packages')), filesOf(repository))
  }

  // Towards OCI, skopeo spells the configuration anew: another image ID, which packages that came from no image do not keep.
  for (const [name, options, expected] of [
    ['plain', [], []],
    ['gzip', ['--dest-compress-format', 'gzip', '--dest-compress'], []],
    ['zstd-oci', ['--dest-compress-format', 'zstd', '--dest-compress', '--format', 'oci'], ['config-not-kept']],
    ['v2s2', ['--format', 'v2s2'], []],
  ] as const)
    it(`come back file by file from a real registry, pushed and pulled by skopeo: ${name}`, () =>
      travelled(
        SHOP,
        name,
        (image, arrived) => {
          const remote = `docker://${registry!.address}/shop:${name}`
          skopeo(`docker-archive:${image}`, remote, '--dest-tls-verify=false', ...options)
          skopeo(remote, `docker-archive:${arrived}:contoso/shop:1`, '--src-tls-verify=false')
        },
        expected,
      ))

  for (const vector of VECTORS)
    it(`come back file by file from the registry where Microsoft’s own code wrote the payload: ${vector}`, async () => {
      const repository = path.join(folder.path, `${vector}-repository`)
      const payload = unpackLayout(vector, path.join(folder.path, 'layouts'))
      const made = await convert(`layout:${payload}`, `inbox:${repository}`, {name: vector})
      for (const note of made.notes) assert.notEqual(note.subject, '', note.message)
      await travelled([repository, vector], vector, (image, arrived) => {
        const remote = `docker://${registry!.address}/vectors/${vector}:1`
        skopeo(`docker-archive:${image}`, remote, '--dest-tls-verify=false')
        skopeo(remote, `docker-archive:${arrived}:vectors/${vector}:1`, '--src-tls-verify=false')
      })
    })

  // Podman compresses what it saves as OCI; a package that came from no image keeps none of that.
  for (const [format, expected] of [
    ['docker-archive', []],
    ['oci-archive', ['compression-not-kept']],
  ] as const)
    it(`come back file by file from Podman’s store, saved as ${format}`, () =>
      travelled(
        SHOP,
        format,
        (image, arrived) => {
          const store = [
            `--root=${host.folder}/${format}`,
            `--runroot=${host.folder}/${format}-run`,
            '--storage-driver=vfs',
          ]
          const said = runTool('podman', [...store, 'load', '--input', image])
          const name = /Loaded image: (.*)/.exec(said)?.[1] ?? ''
          runTool('podman', [...store, 'save', '--quiet', '--format', format, '--output', arrived, name])
        },
        expected,
      ))
})
