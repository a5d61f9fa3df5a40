import {once} from 'node:events'
import {closeSync, existsSync, lstatSync, mkdirSync, openSync, readFileSync, writeSync} from 'node:fs'
import {createServer as createHttpServer} from 'node:http'
import {createServer} from 'node:net'
import {join} from 'node:path'
import {TransshipError} from '../../src/model/errors.js'
import type {ContainerManager} from '../../src/runtime/container-manager.js'
import {openNativeSystem, Pointer} from '../../src/runtime/host-compute/native-library.js'
import {listContainers} from '../../src/runtime/list-containers.js'
import {openManagers} from '../../src/runtime/open-managers.js'
import {killContainers, stopContainers} from '../../src/runtime/stop-containers.js'
import {DiskClock} from '../../src/disk/disk-clock.js'
import {readDiskTimes} from '../../src/disk/disk-times.js'
import {findNativeTimes} from '../../src/disk/native-times.js'
import {exportRuntimeLayer, importRuntimeLayer} from '../../src/runtime/storage/runtime-layers.js'

/*
 * Runs under Windows' Node in Wine: carries out the calls that the file in its argument describes as JSON, one after the
 * other, and prints what came of each as JSON. Tests of the Windows code speak to it.
 */

export type WindowsCall =
  | {readonly call: 'list'; readonly all?: boolean}
  | {readonly call: 'list over pipes'}
  | {readonly call: 'stop'; readonly ids: readonly string[]; readonly timeoutSeconds: number; readonly kill?: boolean}
  | {readonly call: 'kill'; readonly ids: readonly string[]}
  | {
      readonly call: 'export'
      readonly from: string
      readonly to: string
      readonly parents?: readonly string[]
      readonly isWritable?: boolean
    }
  /** Base64 of self-relative security descriptors, to be said as text by Windows. */
  | {readonly call: 'say security'; readonly descriptors: readonly string[]}
  /** Sets these times of a new file and a new folder, and reads them back. */
  | {readonly call: 'keep times'; readonly folder: string; readonly times: readonly string[]}
  | {readonly call: 'import'; readonly from: string; readonly to: string; readonly parents?: readonly string[]}

async function perform(wanted: WindowsCall): Promise<unknown> {
  const managers = openManagers({platform: process.platform})
  switch (wanted.call) {
    case 'list':
      return listContainers(managers, {all: wanted.all === true})
    case 'list over pipes':
      return listOverPipes(managers)
    case 'stop':
      return stopContainers(managers, wanted.ids, wanted)
    case 'kill':
      return killContainers(managers, wanted.ids)
    case 'export':
      return exportRuntimeLayer(wanted.from, wanted.to, wanted)
    case 'say security':
      return saySecurity(wanted.descriptors)
    case 'keep times':
      return keepTimes(wanted.folder, wanted.times)
    case 'import':
      return importRuntimeLayer(wanted.from, wanted.to, wanted)
  }
}

/** Of each write time: what the system has of the file and the folder, and what is said of a time that it has not. */
function keepTimes(folder: string, times: readonly string[]): unknown {
  const native = findNativeTimes()
  return times.map((text, index) => {
    const time = BigInt(text)
    const all = {creation: time, lastAccess: time, lastWrite: time, change: time}
    const [file, inner] = [join(folder, `file-${index}`), join(folder, `folder-${index}`)]
    const clock = new DiskClock(native)
    const fd = openSync(file, 'wx')
    writeSync(fd, 'content')
    clock.setFile(fd, all, 'file')
    closeSync(fd)
    mkdirSync(inner)
    clock.setFolder(inner, all, 'folder')
    const read = (name: string) => readDiskTimes(name, lstatSync(name, {bigint: true})).lastWrite.toString()
    return {file: read(file), folder: read(inner), isNative: native?.read?.(file) !== undefined}
  })
}

/** By advapi32, with owner, group, lists and label. Source: sddl.h. */
async function saySecurity(descriptors: readonly string[]): Promise<readonly (string | undefined)[]> {
  const EVERYTHING = 0x1f
  const system = await openNativeSystem()
  const convert = system
    .findLibrary('advapi32.dll')!
    .declare('ConvertSecurityDescriptorToStringSecurityDescriptorW', 'int32', [
      'void *',
      'uint32',
      'uint32',
      'out pointer',
      'void *',
    ])
  const said: (string | undefined)[] = []
  for (const descriptor of descriptors) {
    const text = new Pointer()
    const isDone = await convert(Buffer.from(descriptor, 'base64'), 1, EVERYTHING, text, null)
    said.push(isDone === 0 || text.value === null ? undefined : system.readText(text.value))
  }
  return said
}

/** An engine that answers and a containerd that hangs, on the pipes where Windows has them. */
async function listOverPipes(managers: readonly ContainerManager[]): Promise<unknown> {
  const engine = createHttpServer((request, answer) =>
    answer.end(request.url === '/version' ? '{"Os":"windows"}' : '[]'),
  )
  const sockets = new Set<{destroy(): void}>()
  const containerd = createServer((socket) => sockets.add(socket))
  engine.listen('//./pipe/docker_engine')
  containerd.listen('//./pipe/containerd-containerd')
  await Promise.all([once(engine, 'listening'), once(containerd, 'listening')])
  try {
    // The one that hangs lasts as long; the one that answers has time for it on a busy machine too.
    return await listContainers(managers, {timeoutMs: 10_000})
  } finally {
    for (const manager of managers) manager.close()
    for (const socket of sockets) socket.destroy()
    engine.close()
    containerd.close()
  }
}

/** A call, with what the stand-ins need to know. */
export interface WindowsStep {
  readonly call: WindowsCall
  /** State of the service: `denied`, `garbage`, `hang`. */
  readonly mode?: string
}

export interface WindowsFailure {
  readonly code: string
  readonly exitCode: number
  readonly message: string
  readonly suggestions: readonly string[]
}

/** What came of a call, and the calls that the stand-ins saw meanwhile. */
export interface WindowsOutcome {
  readonly result?: unknown
  readonly failure?: WindowsFailure
  readonly calls: readonly string[]
}

async function attempt({call, mode}: WindowsStep, folder: string): Promise<WindowsOutcome> {
  mkdirSync(folder)
  // Node sets these in the process itself, where the stand-ins read them.
  process.env['STAND_IN_FOLDER'] = folder
  process.env['STAND_IN_MODE'] = mode ?? ''
  const log = join(folder, 'calls.log')
  const seen = () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : [])
  try {
    const result = await perform(call)
    return {result, calls: seen()}
  } catch (error) {
    if (!(error instanceof TransshipError)) throw error
    const {code, exitCode, message, suggestions} = error
    return {failure: {code, exitCode, message, suggestions}, calls: seen()}
  }
}

const [file = '', folder = ''] = process.argv.slice(2)
const steps = JSON.parse(readFileSync(file, 'utf8')) as readonly WindowsStep[]
const outcomes: WindowsOutcome[] = []
for (const [index, step] of steps.entries()) outcomes.push(await attempt(step, join(folder, String(index))))
console.log(JSON.stringify(outcomes))
