import assert from 'node:assert/strict'
import {execFileSync, spawnSync} from 'node:child_process'
import {chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {skipLoudly} from '../helpers/tools.js'

/** The functions and the error that `transship` itself gives; types come on top. A new name here is a promise. */
const FACE = [
  'TransshipError',
  'convert',
  'diff',
  'files',
  'hive',
  'inspect',
  'list',
  'parseReference',
  'planConversion',
  'runBatch',
  'verify',
]
const SUBPATHS = ['formats', 'codecs/registry-hive', 'codecs/layer-tar', 'codecs/transport-layout', 'codecs/appx']

function examplesOf(document: string): string[] {
  return [...document.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!.replaceAll(/^ \* ?/gm, ''))
}

describe('The packed library', function () {
  this.timeout(300_000)
  const folder = temporaryFolder()
  const npm = (args: readonly string[], cwd: string): string =>
    execFileSync('npm', args, {cwd, encoding: 'utf8', shell: process.platform === 'win32', maxBuffer: 2 ** 26})

  /** What a user has after `npm install`: the tarball, the packages it depends on, and no others. */
  function install(): void {
    const packed = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder.path], PROJECT)
    const [{filename}] = JSON.parse(packed) as [{filename: string}]
    const own = path.join(folder.path, 'node_modules', 'transship')
    mkdirSync(own, {recursive: true})
    execFileSync('tar', ['-xzf', path.join(folder.path, filename), '-C', own, '--strip-components=1'])
    const tree = npm(['ls', '--omit=dev', '--all', '--parseable'], PROJECT).split('\n').filter(Boolean)
    for (const place of tree) {
      const name = path.relative(PROJECT, place)
      // Packages inside of packages come along with them.
      if (!name.startsWith('node_modules') || name.lastIndexOf('node_modules') > 0) continue
      cpSync(place, path.join(folder.path, name), {recursive: true})
    }
    // Whoever writes TypeScript for Node has these.
    mkdirSync(path.join(folder.path, 'node_modules', '@types'), {recursive: true})
    for (const name of ['@types/node', 'undici-types']) {
      const place = path.join(folder.path, 'node_modules', name)
      // Some packages bring them along.
      if (!existsSync(place)) symlinkSync(path.join(PROJECT, 'node_modules', name), place, 'junction')
    }
    writeFileSync(path.join(folder.path, 'package.json'), '{"private": true, "type": "module"}')
    writeFileSync(
      path.join(folder.path, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'ES2023',
          module: 'NodeNext',
          strict: true,
          exactOptionalPropertyTypes: true,
          types: ['node'],
          skipLibCheck: true,
        },
        include: ['*.ts'],
      }),
    )
  }

  function run(file: string): {status: number | null; stdout: string; stderr: string} {
    return spawnSync(process.execPath, [file], {cwd: folder.path, encoding: 'utf8'})
  }

  before(() => {
    install()
    const archive = path.join(PROJECT, 'samples', 'shop.tar')
    copyFileSync(archive, path.join(folder.path, 'shop.tar'))
    const [{Layers}] = JSON.parse(execFileSync('tar', ['-xOf', archive, 'manifest.json'], {encoding: 'utf8'})) as [
      {Layers: string[]},
    ]
    writeFileSync(path.join(folder.path, 'layer.tar'), execFileSync('tar', ['-xOf', archive, Layers.at(-1)!]))
    const documented = examplesOf(readFileSync(path.join(PROJECT, 'docs', 'library.md'), 'utf8'))
    assert.equal(documented.length, 3)
    documented.forEach((code, index) => {
      writeFileSync(path.join(folder.path, `documented-${index}.ts`), code)
    })
    for (const name of ['formats', 'registry-hive', 'layer-tar', 'transport-layout', 'appx']) {
      const comment = readFileSync(path.join(PROJECT, 'src', 'library', `${name}.ts`), 'utf8')
      const [code] = examplesOf(comment.replaceAll(/^ \* ?/gm, ''))
      assert.ok(code !== undefined, `${name} shows no use of itself`)
      writeFileSync(path.join(folder.path, `door-${name}.ts`), code)
    }
    const compiler = path.join(PROJECT, 'node_modules', 'typescript', 'bin', 'tsc')
    const built = spawnSync(process.execPath, [compiler, '-p', '.'], {cwd: folder.path, encoding: 'utf8'})
    assert.equal(built.stdout, '')
    assert.equal(built.status, 0)
  })

  it('has exactly the face that its documentation lists', () => {
    writeFileSync(path.join(folder.path, 'face.js'), `console.log(Object.keys(await import('transship')).join())`)
    assert.equal(run('face.js').stdout.trim(), FACE.join())
    const documentation = readFileSync(path.join(PROJECT, 'docs', 'library.md'), 'utf8')
    for (const name of FACE) assert.ok(documentation.includes(`\`${name}`), `docs/library.md does not name ${name}`)
  })

  for (const subpath of SUBPATHS) {
    it(`opens transship/${subpath}`, () => {
      const file = `open-${subpath.replace('/', '-')}.js`
      writeFileSync(
        path.join(folder.path, file),
        `console.log(Object.keys(await import('transship/${subpath}')).length)`,
      )
      const {stdout, stderr} = run(file)
      assert.ok(Number(stdout) > 1, stderr)
    })
  }

  it('converts, checks and reads as the examples of the documentation say', () => {
    const converted = run('documented-0.js')
    assert.equal(converted.status, 0, converted.stderr)
    assert.match(converted.stdout, /^inbox:repo:CN=contoso_shop_1\.2\.0\.0$/m)
    assert.match(converted.stdout, /^exact$/m)
    const checked = run('documented-1.js')
    assert.equal(checked.status, 0, checked.stderr)
    assert.match(checked.stdout, /^package inbox:repo:CN=/m)
    const read = run('documented-2.js')
    assert.equal(read.status, 0, read.stderr)
  })

  it('gives errors with their code', () => {
    writeFileSync(
      path.join(folder.path, 'refused.js'),
      `import {convert, TransshipError} from 'transship'
       await convert('docker-archive:missing.tar', 'inbox:repo').catch((error) => {
         console.log(error instanceof TransshipError, error.code)
       })`,
    )
    assert.equal(run('refused.js').stdout.trim(), 'true NOT_FOUND')
  })
  it('starts for a user of a number that nobody knows, without a home', function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) skipLoudly(this, 'changing the user needs root')
    // The folder of a test is its user's alone.
    chmodSync(folder.path, 0o755)
    const main = path.join(folder.path, 'node_modules', 'transship', 'dist', 'src', 'main.js')
    const {stdout, stderr} = spawnSync(process.execPath, [main, '--version'], {
      cwd: '/',
      env: {PATH: process.env['PATH']},
      uid: 54321,
      gid: 54321,
      encoding: 'utf8',
    })
    assert.match(stdout, /^transship\//, stderr)
  })
})
