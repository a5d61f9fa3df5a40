import {spawnSync} from 'node:child_process'
import {closeSync, openSync, readdirSync, readSync, statSync} from 'node:fs'
import path from 'node:path'
import {findPartialCorpus} from './corpora.js'

/* Registry hives among the test files of other projects; corpora.ts says where those are. */

/** Where the tree of a project is, unpacked below `scratch` if need be; undefined when it was not fetched. */
export function findHiveCorpus(name: string, scratch: string): string | undefined {
  return findPartialCorpus(name, scratch, {
    onFile: (file) => {
      if (!file.endsWith('.xz')) return
      const run = spawnSync('xz', ['--decompress', '--force', file], {encoding: 'utf8'})
      if (run.status !== 0) throw new Error(`${file} cannot be decompressed: ${run.stderr}`)
    },
  })
}

/** The files below a folder that begin as hives do, but for logs; in a fixed order. */
export function hivesBelow(folder: string): string[] {
  return readdirSync(folder, {withFileTypes: true, recursive: true})
    .filter((entry) => entry.isFile() && !/\.log[12]?$/i.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size >= 512 && startsAsHive(file))
    .sort()
}

function startsAsHive(file: string): boolean {
  const fd = openSync(file, 'r')
  try {
    const head = Buffer.alloc(4)
    readSync(fd, head, 0, 4, 0)
    return head.toString('latin1') === 'regf'
  } finally {
    closeSync(fd)
  }
}

/** What another reader says of one hive. */
export interface ForeignReading {
  /** Digest of all that it read, as lines: see `READERS`. */
  readonly digest?: string
  /** Why it stopped. */
  readonly error?: string
  readonly isDirty?: boolean
  /** Its logs completed it. */
  readonly isRecovered?: boolean
  /** Logs are there, and do not complete it. */
  readonly failsToRecover?: boolean
}

/** Python that all readers share: lines of a key or value to a digest, names as UTF-16 so that none is lost. */
const COMMON = `
import hashlib, json, os, sys
sys.setrecursionlimit(10000)
def hexname(text): return text.encode('utf-16-le', 'surrogatepass').hex()
class Lines:
    def __init__(self): self.hash = hashlib.sha256()
    def add(self, *parts): self.hash.update((' '.join(map(str, parts)) + '\\n').encode())
def run(read):
    for path in sys.stdin.read().split('\\0'):
        lines, info = Lines(), {}
        try:
            read(path, lines, info)
            info['digest'] = lines.hash.hexdigest()
        except Exception as error:
            info['error'] = type(error).__name__ + ': ' + str(error)
        print(json.dumps(info), flush=True)
`

/** yarp, from its own tree, with the logs beside a hive. \`K depth name time class security\`, \`V name type data\`. */
export const YARP = `${COMMON}
sys.path.insert(0, sys.argv[1])
from io import BytesIO
from yarp import Registry
def beside(path, suffix):
    folder, base = os.path.split(path)
    for name in sorted(os.listdir(folder)):
        if name.lower() == (base + suffix).lower(): return open(os.path.join(folder, name), 'rb')
def name(data, is_compressed):
    return data.decode('latin-1') if is_compressed else data.decode('utf-16-le', 'surrogatepass')
def read(path, lines, info):
    hive = Registry.RegistryHive(open(path, 'rb'))
    info['isDirty'] = hive.registry_file.baseblock.is_file_dirty
    logs = [beside(path, suffix) for suffix in ('.LOG', '.LOG1', '.LOG2')]
    if info['isDirty'] and any(logs):
        if logs[1] or logs[2]: logs[1:] = [log or BytesIO() for log in logs[1:]]
        try:
            info['isRecovered'] = hive.recover_auto(*logs).recovered
        except Registry.AutoRecoveryException:
            info['failsToRecover'] = True
    def walk(key, depth):
        node = key.key_node
        size, offset = node.get_classname_length(), node.get_classname_offset()
        class_name = hive.registry_file.get_cell(offset)[:size].hex() if size and offset != 0xffffffff else ''
        security = key.security()
        lines.add('K', depth, hexname(name(node.get_key_name(), node.get_flags() & 0x20)),
                  node.get_last_written_timestamp(), class_name, security.descriptor().hex() if security else '-')
        for value in key.values():
            stored = value.key_value
            lines.add('V', hexname(name(stored.get_value_name(), stored.get_flags() & 1)), value.type_raw(), value.data_raw().hex())
        for subkey in key.subkeys(): walk(subkey, depth + 1)
    walk(hive.root_key(), 0)
run(read)
`

/** hivex, which knows no logs. \`K depth name time\`, \`V name type data\`. */
export const HIVEX = `${COMMON}
import hivex
def read(path, lines, info):
    hive = hivex.Hivex(path)
    def walk(node, depth):
        lines.add('K', depth, hexname(hive.node_name(node)), hive.node_timestamp(node))
        for value in hive.node_values(node):
            type, data = hive.value_value(value)
            lines.add('V', hexname(hive.value_key(value)), type, data.hex())
        for child in hive.node_children(node): walk(child, depth + 1)
    walk(hive.root(), 0)
run(read)
`

/** Debian's Python has hivex's module; another Python first on the path need not. */
export const PYTHON = '/usr/bin/python3'

/** Runs a reader over files; what it says of each, in their order. */
export function readForeign(reader: string, files: readonly string[], args: readonly string[] = []): ForeignReading[] {
  if (files.length === 0) return []
  const run = spawnSync(PYTHON, ['-c', reader, ...args], {
    input: files.join('\0'),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (run.status !== 0) throw new Error(`A reader of hives failed: ${run.stderr}`)
  return run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ForeignReading)
}
