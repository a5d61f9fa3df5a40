import assert from 'node:assert/strict'
import {findStatePlace} from '../../src/terminal/state-place.js'

describe('the folder for what transship remembers', () => {
  for (const {env, platform, home, want, note} of [
    {env: {}, platform: 'linux', home: '/home/u', want: '/home/u/.local/state/transship', note: 'by default'},
    {env: {XDG_STATE_HOME: '/s'}, platform: 'linux', home: '/home/u', want: '/s/transship', note: 'where XDG says so'},
    {
      env: {XDG_STATE_HOME: 'relative'},
      platform: 'linux',
      home: '/home/u',
      want: '/home/u/.local/state/transship',
      note: 'not where XDG is relative, as it must be ignored',
    },
    {
      env: {LOCALAPPDATA: 'C:\\Users\\u\\AppData\\Local'},
      platform: 'win32',
      home: 'C:\\Users\\u',
      want: 'C:\\Users\\u\\AppData\\Local\\transship',
      note: 'on Windows',
    },
    {
      env: {},
      platform: 'win32',
      home: 'C:\\Users\\u',
      want: 'C:\\Users\\u\\AppData\\Local\\transship',
      note: 'on Windows without its variable',
    },
  ] as const)
    it(`is ${want} ${note}`, () => {
      assert.equal(findStatePlace(env, {platform, home}), want)
    })
})
