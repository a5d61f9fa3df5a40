import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {spawnSync} from 'node:child_process'
import {convert, inspect, verify, type ConvertReport} from '../../src/index.js'
import {hybridMembers, partsOf, sha256, tarOf, type Parts} from '../helpers/archives.js'
import type {ContainerHost} from '../helpers/container-host.js'
import {startRegistry, type RunningRegistry} from '../helpers/distribution.js'
import {fileOf, layerTarOf, withParents} from '../helpers/layer-archives.js'
import {topPackage} from '../helpers/round-trip.js'
import {sharedHost} from '../helpers/shared-host.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'
import {compressedBy, windowsParts} from '../helpers/windows-images.js'

/** Compresses what comes by standard input with Go's own library, at a level. */
const GO_PROGRAM = `package main

import (
	"compress/gzip"
	"io"
	"os"
	"strconv"
)

func main() {
	level, _ := strconv.Atoi(os.Args[1])
	w, _ := gzip.NewWriterLevel(os.Stdout, level)
	io.Copy(w, os.Stdin)
	w.Close()
}
`

/** Text of which some repeats near, some far, and some never. */
function mixedBytes(size: number): Buffer {
  const lines: string[] = []
  for (let length = 0, line = 0; length < size; line++) {
    const hash = createHash('sha256').update(String(line)).digest('hex')
    const text = line % 3 === 0 ? hash : `${hash.slice(0, 6)} the same words in every line, and a number ${line % 97}\n`
    lines.push(text)
    length += text.length
  }
  return Buffer.from(lines.join(''))
}

describe('images whose digests come back through packages, whoever compressed and pushed them', () => {
  const folder = temporaryFolder()
  let registry: RunningRegistry
  let host: ContainerHost
  let parts: Parts
  let plain = ''
  let encoder = ''
  let made = 0

  before(async function () {
    this.timeout(240_000)
    for (const tool of ['docker-registry', 'skopeo', 'podman', 'ctr', 'gzip', 'pigz', 'zstd']) requireTool(this, tool)
    const go = requireTool(this, 'go')
    registry = await startRegistry(path.join(folder.path, 'registry'))
    host = await sharedHost(this)
    const whole = await windowsParts(12)
    // More than one block of each encoder.
    const large = await layerTarOf(withParents([fileOf('Files/large.log', mixedBytes(2_500_000))]))
    parts = partsOf([...whole.layers.slice(0, 2), large], {os: 'windows', 'os.version': '10.0.14393.206'})
    plain = path.join(folder.path, 'plain.tar')
    writeFileSync(plain, await tarOf(hybridMembers(parts)))
    const source = path.join(folder.path, 'go')
    mkdirSync(source)
    writeFileSync(path.join(source, 'main.go'), GO_PROGRAM)
    writeFileSync(path.join(source, 'go.mod'), 'module encoder\n')
    encoder = path.join(source, 'encoder')
    runTool(go, ['build', '-o', encoder, '.'], {cwd: source})
  })

  after(async () => {
    await (registry as RunningRegistry | undefined)?.stop()
  })

  const goGzip = (level: number) => (bytes: Buffer) =>
    spawnSync(encoder, [String(level)], {input: bytes, maxBuffer: 2 ** 28}).stdout
  const by =
    (tool: string, ...options: readonly string[]) =>
    (bytes: Buffer) =>
      compressedBy(tool, bytes, options)
  const skopeo = (...args: readonly string[]) =>
    runTool('skopeo', ['--insecure-policy', '--override-os', 'windows', 'copy', '--quiet', ...args])
  const ctr = (...args: readonly string[]) =>
    runTool('ctr', ['--address', host.containerdSocket, '--namespace', 'pins', ...args])

  /** Pushes layers as they are compressed, by a tool that passes them on. */
  const passedOn =
    (compress: (bytes: Buffer) => Buffer, suffix: string, push: (archive: string, name: string) => void) =>
    async (name: string): Promise<void> => {
      const archive = path.join(folder.path, `stored-${made++}.tar`)
      const stored = {layers: parts.layers.map(compress), suffix}
      writeFileSync(archive, await tarOf(hybridMembers(parts, {stored, withManifestJson: false})))
      push(archive, name)
    }
  const bySkopeo = (archive: string, name: string) => {
    skopeo('--dest-tls-verify=false', '--preserve-digests', `oci-archive:${archive}`, `docker://${name}`)
  }
  const byContainerd = (archive: string, name: string) => {
    ctr('images', 'import', '--no-unpack', archive)
    ctr('images', 'tag', '--force', 'docker.io/library/app:1', name)
    ctr('images', 'push', '--plain-http', '--platform', 'windows/amd64', name)
  }

  /** Who pushes, and whether the encoder is one of those that are known. */
  const PRODUCERS: readonly {
    readonly title: string
    readonly reproduced: boolean
    readonly push: (name: string) => void | Promise<void>
  }[] = [
    {
      title: 'skopeo, which compresses with pgzip',
      reproduced: true,
      push: (name) => {
        skopeo('--dest-tls-verify=false', `docker-archive:${plain}`, `docker://${name}`)
      },
    },
    // Before zstd: of the forms that a registry has of a layer, Podman takes any.
    {
      title: 'Podman',
      reproduced: true,
      push: (name) => {
        const said = runTool('podman', [...host.podmanStore, 'load', '--input', plain])
        const loaded = /Loaded image: (.*)/.exec(said)?.[1] ?? ''
        runTool('podman', [...host.podmanStore, 'push', '--quiet', '--tls-verify=false', loaded, name])
      },
    },
    {
      title: 'skopeo with zstd',
      reproduced: false,
      push: (name) => {
        const form = ['--format', 'oci', '--dest-compress', '--dest-compress-format', 'zstd']
        // By way of a folder: pushed at once, it would take what the registry has of the same layers in another form.
        const layout = `oci:${path.join(folder.path, 'zstd')}:x`
        skopeo(...form, `docker-archive:${plain}`, layout)
        skopeo('--dest-tls-verify=false', '--preserve-digests', layout, `docker://${name}`)
      },
    },
    {title: 'containerd', reproduced: true, push: passedOn((bytes) => goGzip(-1)(bytes), '+gzip', byContainerd)},
    ...[-1, 1, 6, 9].map((level) => ({
      title: `Go’s compress/gzip at level ${level}`,
      reproduced: true,
      push: passedOn((bytes) => goGzip(level)(bytes), '+gzip', bySkopeo),
    })),
    {title: 'stored blocks of Go', reproduced: true, push: passedOn((b) => goGzip(0)(b), '+gzip', bySkopeo)},
    ...[1, 6, 9].map((level) => ({
      title: `gzip -${level}`,
      reproduced: true,
      push: passedOn(by('gzip', `-${level}`), '+gzip', bySkopeo),
    })),
    {title: 'pigz', reproduced: true, push: passedOn(by('pigz'), '+gzip', bySkopeo)},
    ...[3, 19].map((level) => ({
      title: `zstd -${level}`,
      reproduced: false,
      push: passedOn(by('zstd', `-${level}`), '+zstd', bySkopeo),
    })),
  ]

  const codes = ({inexact, losses}: ConvertReport) => [...inexact, ...losses].map(({code}) => code)

  async function digestsOf(reference: string): Promise<unknown> {
    const {manifestDigest, imageId, layers} = await inspect(reference)
    return {manifestDigest, imageId, layers: layers.map(({digest, mediaType, size}) => [digest, mediaType, size])}
  }

  for (const {title, reproduced, push} of PRODUCERS)
    it(`${title}: kept or reproduced, through a repository and .appx files`, async function () {
      this.timeout(240_000)
      const name = `${registry.host}/pins/image-${made++}:1`
      await push(name)
      const source = `docker://${name}`
      const {manifestDigest} = await inspect(source)
      for (const pins of ['keep', 'reproduce'] as const)
        for (const transport of ['inbox', 'appx'] as const) {
          const packages = `${transport}:${path.join(folder.path, `packages-${made++}`)}`
          const there = await convert(source, packages, {layers: 'chain', pins})
          assert.deepEqual([there.exact, codes(there)], [true, []])
          const how = pins === 'reproduce' && reproduced ? 'reproduced' : 'kept'
          assert.deepEqual(
            there.artifacts.map(({layers}) => layers[0]?.pin),
            parts.layers.map(() => how),
          )
          assert.deepEqual((await verify(packages)).faults, [])
          const returned = `${registry.host}/pins/back-${made++}`
          const back = await convert(topPackage(there), `docker://${returned}:1`)
          assert.deepEqual([back.exact, codes(back)], [true, []])
          assert.deepEqual(await digestsOf(`docker://${returned}:1`), await digestsOf(source))
          const pulled = path.join(folder.path, `pulled-${made++}`)
          skopeo('--src-tls-verify=false', `docker://${returned}@${String(manifestDigest)}`, `dir:${pulled}`)
          const raw = runTool('skopeo', ['inspect', '--raw', `dir:${pulled}`])
          assert.equal(`sha256:${sha256(raw)}`, manifestDigest)
        }
    })
})
