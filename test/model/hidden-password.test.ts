import assert from 'node:assert/strict'
import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import {hidePassword, hidePasswords} from '../../src/model/hidden-password.js'
import {TRANSPORTS} from '../../src/transports/catalog.js'
import {runCli} from '../helpers/run-cli.js'

const SHA = `sha256:${'0'.repeat(64)}`

describe('passwords in references', () => {
  for (const {text, shown, note} of [
    {text: 'docker://user:pw@host/app:1', shown: 'docker://user:***@host/app:1', note: 'the slip that is made'},
    {text: 'docker://user:p@s/s:w @host/app', shown: 'docker://user:***@host/app', note: 'any character'},
    {text: 'docker://:pw@host/app', shown: 'docker://:***@host/app', note: 'without a user'},
    {text: 'docker:user:pw@host/app', shown: 'docker:user:***@host/app', note: 'without slashes'},
    {text: 'docker-daemon:user:pw@host/app', shown: 'docker-daemon:user:***@host/app', note: 'of an engine'},
    {text: 'user:pw@host/app:1', shown: 'user:***@host/app:1', note: 'without a transport'},
    {text: 'https://user:pw@host/app', shown: 'https://user:***@host/app', note: 'an address'},
    {text: `docker://user:pw@host/app@${SHA}`, shown: `docker://user:***@host/app@${SHA}`, note: 'with a digest'},
    {text: `docker://host:5000/app@${SHA}`, shown: `docker://host:5000/app@${SHA}`, note: 'a port is no password'},
    {text: `web:1@${SHA}`, shown: `web:1@${SHA}`, note: 'a tag is no password'},
    {text: 'web:1@sha256:12', shown: 'web:1@sha256:12', note: 'nor in front of a digest that is cut'},
    {text: `web:1@md5:${'0'.repeat(32)}`, shown: `web:1@md5:${'0'.repeat(32)}`, note: 'or of another kind'},
    {text: 'docker://[::1]:5000/a@b', shown: 'docker://[::1]:5000/a@b', note: 'an address has colons'},
    {text: 'docker://me:pw@[::1]:5000/a', shown: 'docker://me:***@[::1]:5000/a', note: 'in front of an address'},
    {text: 'docker://AD\\me:pw@host/a', shown: 'docker://AD\\me:***@host/a', note: 'a user of a domain'},
    {text: 'docker://me:HUNTER[2]@host/a', shown: 'docker://me:***@host/a', note: 'brackets in the password'},
    {text: 'C:\\a@b\\c', shown: 'C:\\a@b\\c', note: 'a drive is no user'},
    {text: 'docker://host/app:1', shown: 'docker://host/app:1', note: 'nothing to hide'},
  ])
    it(`shows ${shown}: ${note}`, () => {
      assert.equal(hidePassword(text), shown)
    })

  it('are hidden wherever they stand in a text, and nothing else is', () => {
    assert.equal(
      hidePasswords(
        `'docker://u:pw@h/a' and oci://u:pw@h/b, not docker://h:5000/a@${SHA} or docker-archive:a//b.tar:@0`,
      ),
      `'docker://u:***@h/a' and oci://u:***@h/b, not docker://h:5000/a@${SHA} or docker-archive:a//b.tar:@0`,
    )
  })

  it('are looked for in what users write: none of our own texts is changed', () => {
    const changed: string[] = []
    for (const folder of ['src', 'commands'])
      for (const name of readdirSync(folder, {recursive: true, encoding: 'utf8'}))
        if (name.endsWith('.ts')) changed.push(...changedTexts(path.join(folder, name)))
    assert.deepEqual(changed, [])
    for (const {name, grammar} of TRANSPORTS) {
      const text = `${name}:${grammar}`
      assert.equal(hidePasswords(text), text)
      if (name.startsWith('docker-daemon') || name === 'docker') assert.equal(hidePassword(text), text)
    }
  })

  it('are not looked for in the grammar that an error lists', async () => {
    const {stderr} = await runCli(['inspect', 'nowhere:a'])
    for (const {name, grammar} of TRANSPORTS) assert.ok(stderr.includes(`${name}:${grammar}`), stderr)
    const {stdout} = await runCli(['inspect', 'nowhere', '--json'])
    assert.ok(!stdout.toString('utf8').includes('***'))
  })
})

/** The texts of a file that would be shown otherwise than they are written. */
function changedTexts(file: string): readonly string[] {
  const changed: string[] = []
  const look = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node))
      if (hidePasswords(node.text) !== node.text) changed.push(`${file}: ${node.text}`)
    ts.forEachChild(node, look)
  }
  look(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest))
  return changed
}
