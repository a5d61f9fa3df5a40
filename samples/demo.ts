import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'

/* Converts the samples both ways with the real command, shows what it says, and holds the results against each other. */

const MAIN = path.join(import.meta.dirname, '..', 'src', 'main.js')
const folder = mkdtempSync(path.join(tmpdir(), 'transship-demo-'))

function transship(...args: string[]): void {
  console.log(`\n$ transship ${args.join(' ').replaceAll(folder, 'DEMO')}`)
  const output = execFileSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  console.log(output.replaceAll(folder, 'DEMO').trimEnd())
}

function imageIdOf(reference: string): string {
  const output = execFileSync(process.execPath, [MAIN, 'inspect', reference, '--json'], {encoding: 'utf8'})
  return (JSON.parse(output) as {imageId: string}).imageId
}

/** SHA-256 over the names and bytes of all files of a folder. */
function digestOfTree(root: string): string {
  const hash = createHash('sha256')
  const files = readdirSync(root, {recursive: true, withFileTypes: true}).filter((child) => child.isFile())
  const names = files.map((child) => path.relative(root, path.join(child.parentPath, child.name))).sort()
  for (const name of names) hash.update(`${name}\0`).update(readFileSync(path.join(root, name)))
  return `${String(names.length)} files, sha256:${hash.digest('hex')}`
}

function requireSame(what: string, expected: string, found: string): void {
  if (expected !== found) throw new Error(`${what}: expected ${expected}, found ${found}`)
  console.log(`${what}: the same, ${found}`)
}

try {
  const archive = 'docker-archive:samples/shop.tar'
  const repository = `inbox:${path.join(folder, 'repository')}`
  const back = `docker-archive:${path.join(folder, 'shop-again.tar')}`

  console.log('== A Docker image becomes inbox packages, and an image again')
  transship('convert', archive, repository, '--layers', 'chain', '--dry-run')
  transship('convert', archive, repository, '--layers', 'chain')
  transship('list', repository)
  transship('verify', repository)
  transship('convert', `${repository}:CN=contoso_shop_1.2.0.0`, back)
  transship('verify', back)
  requireSame('Image ID', imageIdOf(archive), imageIdOf(back))

  console.log('\n== An inbox package becomes a Docker image, and a package again')
  const image = `docker-archive:${path.join(folder, 'package.tar')}`
  const again = `inbox:${path.join(folder, 'again')}`
  transship('convert', 'inbox:samples/repository:Shop', image, '--dry-run')
  transship('convert', 'inbox:samples/repository:Shop', image)
  transship('verify', image)
  transship('convert', image, again)
  transship('verify', again)
  requireSame('Repository', digestOfTree('samples/repository'), digestOfTree(path.join(folder, 'again')))
} finally {
  rmSync(folder, {recursive: true, force: true})
}
