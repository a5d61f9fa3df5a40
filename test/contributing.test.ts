import assert from 'node:assert/strict'
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {PROJECT} from './helpers/snapshot.js'

const at = (name: string) => path.join(PROJECT, name)
const read = (name: string) => readFileSync(at(name), 'utf8')
const foldersIn = (name: string) =>
  readdirSync(at(name), {withFileTypes: true})
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${name}/${entry.name}`)

/** Paths in backquotes that begin at the top of the project, without those that stand for any name. */
function pathsIn(text: string, folder: string): string[] {
  const named = [...text.matchAll(/`([^`\s]+)`/g)].map(([, name = '']) => name)
  const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, name = '']) => path.join(folder, name))
  return [
    ...named.filter((name) => /^(?:src|test|docs|commands|samples)\//.test(name) && !/[A-Z*]{4}|\*/.test(name)),
    ...named.filter((name) => name.startsWith('../')).map((name) => path.join(folder, name)),
    ...links,
  ]
}

describe('the guide for contributors', () => {
  it('names only files and folders that exist', () => {
    for (const name of pathsIn(read('CONTRIBUTING.md'), '.')) assert.ok(existsSync(at(name)), name)
  })

  it('shows the floors that the import rule enforces', () => {
    const [, ranks = ''] = /const RANKS = \[\n([^]*?)\n\]\n/.exec(read('.dependency-cruiser.js')) ?? []
    const floors = ranks
      .trim()
      .split('\n')
      .map((line) => [...line.matchAll(/'(?:src\/)?([a-z-]+)'/g)].map(([, name = '']) => name).join(', '))
    assert.ok(floors.length > 5)
    assert.ok(read('CONTRIBUTING.md').includes(`\n${floors.join(' -> ')}\n`), floors.join(' -> '))
  })

  it('explains every folder of src', () => {
    const guide = read('CONTRIBUTING.md')
    for (const name of foldersIn('src')) assert.ok(guide.includes(`\`${name}/\``), name)
  })

  it('leads to every section that it refers to', () => {
    const guide = read('CONTRIBUTING.md')
    const sections = [...guide.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    )
    const targets = [...guide.matchAll(/\]\(#([^)]+)\)/g)].map(([, target = '']) => target)
    assert.ok(targets.length > 0)
    for (const target of targets) assert.ok(sections.includes(target), target)
  })

  for (const folder of foldersIn('src/formats')) {
    it(`has a page for ${folder}, which names only files that exist`, () => {
      const page = read(`${folder}/README.md`)
      const own = [...page.matchAll(/`([a-z0-9-]+\.ts)`/g)].map(([, name = '']) => `${folder}/${name}`)
      for (const name of [...pathsIn(page, folder), ...own]) assert.ok(existsSync(at(name)), name)
      assert.match(page, /\n```\n/)
      assert.match(page, /\| Producer \|/)
    })
  }
})
