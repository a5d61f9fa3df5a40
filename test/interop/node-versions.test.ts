import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, mkdirSync, readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {text} from 'node:stream/consumers'
import {sha256} from '../helpers/archives.js'
import {otherNode} from '../helpers/other-node.js'
import {MAIN} from '../helpers/run-cli.js'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {testsAtOnce} from '../helpers/tests-at-once.js'
import {skipLoudly} from '../helpers/tools.js'

/** What is made in each version, of the samples. zstd is written from Node 22.15 on. */
const CONVERSIONS: readonly {
  readonly title: string
  readonly since?: 22
  readonly args: (folder: string) => readonly string[]
}[] = [
  {title: 'an archive', args: (to) => ['docker-archive:samples/shop.tar', `docker-archive:${to}/made.tar`]},
  ...(['none', 'gzip', 'gzip:9'] as const).map((compression) => ({
    title: `an archive, ${compression}`,
    args: (to: string) => [
      'docker-archive:samples/shop.tar',
      `docker-archive:${to}/made.tar`,
      '--compression',
      compression,
    ],
  })),
  {
    title: 'an OCI layout, zstd',
    since: 22,
    args: (to) => ['docker-archive:samples/shop.tar', `oci:${to}/layout:1`, '--compression', 'zstd'],
  },
  {title: 'packages', args: (to) => ['docker-archive:samples/shop.tar', `inbox:${to}/packages`, '--layers', 'chain']},
  {title: 'package files', args: (to) => ['docker-archive:samples/shop.tar', `appx:${to}/files`, '--layers', 'chain']},
  {title: 'a squashed package', args: (to) => ['docker-archive:samples/shop.tar', `inbox:${to}/packages`]},
  {
    title: 'a base with its registry flattened',
    args: (to) => ['docker-archive:samples/shop.tar', `docker-archive:${to}/made.tar`, '--with-base'],
  },
  {title: 'an image of packages', args: (to) => ['inbox:samples/repository:Shop', `docker-archive:${to}/made.tar`]},
]

/** Digests of everything below a folder, by path. */
function digestsBelow(folder: string): Record<string, string> {
  const files = readdirSync(folder, {recursive: true, withFileTypes: true}).filter((child) => child.isFile())
  return Object.fromEntries(
    files
      .map(({parentPath, name}) => path.join(parentPath, name))
      .sort()
      .map((file) => [path.relative(folder, file), sha256(readFileSync(file))]),
  )
}

describe('the same input makes the same bytes', () => {
  const folder = temporaryFolder()
  let count = 0

  async function made(
    node: string,
    args: (folder: string) => readonly string[],
    ...more: readonly string[]
  ): Promise<object> {
    const to = path.join(folder.path, String(count++))
    mkdirSync(to)
    const child = spawn(node, [MAIN, 'convert', ...args(to), ...more, '--quiet'], {
      cwd: PROJECT,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const [said] = await Promise.all([text(child.stderr), once(child, 'close')])
    assert.equal(child.exitCode, 0, said)
    return digestsBelow(to)
  }

  const known = new Map<string, Promise<object>>()

  /** What all others must be equal to, with a concurrency of 1. */
  function madeOnce(title: string, node: string, args: (folder: string) => readonly string[]): Promise<object> {
    const found = known.get(title) ?? made(node, args, '--concurrency', '1')
    known.set(title, found)
    return found
  }

  for (const version of [22, 24] as const)
    describe(`on Node ${version}`, () => {
      const it = testsAtOnce()
      const node = otherNode(version)

      before(function () {
        this.timeout(60_000)
        if (!existsSync(node)) skipLoudly(this, `Node ${version} is not there: run .ci/prepare-node`)
      })

      for (const {title, since, args} of CONVERSIONS)
        it(`as on this one, at every concurrency: ${title}`, async () => {
          const isHere = since === undefined || Number(process.versions.node.split('.')[0]) >= since
          const want = await madeOnce(title, isHere ? process.execPath : otherNode(24), args)
          for (const concurrency of ['1', '2', '8'])
            assert.deepEqual(await made(node, args, '--concurrency', concurrency), want, concurrency)
        })
    })

  const atOnce = testsAtOnce()
  for (const {title, args} of CONVERSIONS.filter(({since}) => since === undefined))
    atOnce(`at every concurrency: ${title}`, async () => {
      const want = await madeOnce(title, process.execPath, args)
      for (const concurrency of ['2', '8'])
        assert.deepEqual(await made(process.execPath, args, '--concurrency', concurrency), want, concurrency)
    })
})
