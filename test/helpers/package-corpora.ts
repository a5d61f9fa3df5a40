import {spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'

/*
 * AppX packages and images among the test files of other projects. None are part of this one: the folder that
 * TRANSSHIP_CORPORA names holds them, one folder a project, each a working tree or a bare Git repository whose folder has
 * the name in its own.
 */

/** Where the tree of a project is, unpacked below `scratch` if need be; undefined when it was not fetched. */
export function findCorpusTree(name: string, scratch: string, below: string): string | undefined {
  const root = process.env['TRANSSHIP_CORPORA']
  if (root === undefined || !existsSync(root)) return undefined
  const entry = readdirSync(root).find((candidate) => candidate.includes(name))
  if (entry === undefined) return undefined
  const folder = path.join(root, entry)
  const repository = [folder, path.join(folder, 'repo')].find((candidate) =>
    ['HEAD', 'objects'].every((part) => existsSync(path.join(candidate, part))),
  )
  return repository === undefined ? folder : unpack(repository, path.join(scratch, name), below)
}

/** File by file: a partial copy of a repository lists files that it does not hold, and `git archive` stops at the first. */
function unpack(repository: string, target: string, below: string): string {
  const git = (...args: string[]) => spawnSync('git', ['--git-dir', repository, ...args], {maxBuffer: 2 ** 30})
  const listed = git('ls-tree', '-r', '-z', '--name-only', 'HEAD', below)
  if (listed.status !== 0) throw new Error(`${repository} cannot be listed: ${listed.stderr.toString()}`)
  const names = listed.stdout.toString().split('\0')
  for (const name of names.filter((each) => each !== '')) {
    const blob = git('cat-file', 'blob', `HEAD:${name}`)
    if (blob.status !== 0) continue
    const file = path.join(target, name)
    mkdirSync(path.dirname(file), {recursive: true})
    writeFileSync(file, blob.stdout)
  }
  return target
}

/** What a test of msix-packaging expects of its reader: `S_OK`, or the name of an error. */
export interface Expectation {
  readonly file: string
  readonly expected: string
  readonly checksSignature: boolean
}

const FIELDS = {
  expected: /HRESULT expected\s*=\s*(?:static_cast<HRESULT>\(MSIX::Error::(\w+)\)|(\w+));/,
  file: /std::string (?:package|bundle)\s*=\s*"([^"]+)";/,
  validation: /MSIX_VALIDATION_OPTION validation\s*=\s*MSIX_VALIDATION_OPTION_(\w+);/,
}

/** The verdicts in the text of `unpack.cpp` or `unbundle.cpp`. */
export function expectationsIn(source: string): readonly Expectation[] {
  return source.split('TEST_CASE(').flatMap((text) => {
    const [, error, success] = FIELDS.expected.exec(text) ?? []
    const [, file] = FIELDS.file.exec(text) ?? []
    if (file === undefined) return []
    const checksSignature = FIELDS.validation.exec(text)?.[1] !== 'SKIPSIGNATURE'
    return [{file, expected: error ?? success ?? '', checksSignature}]
  })
}
