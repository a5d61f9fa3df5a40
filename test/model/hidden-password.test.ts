import assert from 'node:assert/strict'
import {hidePassword, hidePasswords} from '../../src/model/hidden-password.js'

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
})
