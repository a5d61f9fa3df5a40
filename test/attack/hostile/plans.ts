import type {Built, HostileInput} from './input.js'

const ITEM = {source: 'docker-archive:x.tar', destination: 'inbox:y'}
const PLANS: readonly {name: string; code: string; text: string}[] = [
  {name: 'a plan that is no YAML', code: 'PLAN_INVALID', text: 'items: [\n'},
  {
    name: 'a plan that doubles itself',
    code: 'PLAN_INVALID',
    text: `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nitems: [*e,*e,*e,*e]\n`,
  },
  {name: 'a plan with an unknown key', code: 'PLAN_INVALID', text: JSON.stringify({items: [{...ITEM, sauce: 'x'}]})},
  {
    name: 'a plan whose items wait for each other',
    code: 'PLAN_INVALID',
    text: JSON.stringify({
      items: [
        {...ITEM, id: 'a', after: ['b']},
        {...ITEM, id: 'b', destination: 'inbox:z', after: ['a']},
      ],
    }),
  },
  {
    name: 'a plan with one id twice',
    code: 'PLAN_INVALID',
    text: JSON.stringify({
      items: [
        {...ITEM, id: 'a'},
        {...ITEM, id: 'a'},
      ],
    }),
  },
  {
    name: 'a plan with an unknown variable',
    code: 'PLAN_INVALID',
    text: JSON.stringify({items: [{...ITEM, destination: 'inbox:${NONE}'}]}),
  },
  {name: 'a plan with a key twice', code: 'PLAN_INVALID', text: 'items: []\nitems: []\n'},
  {name: 'a plan that runs code', code: 'PLAN_INVALID', text: 'items: !!js/function "function () {}"\n'},
]

export const PLAN_INPUTS: readonly HostileInput[] = PLANS.map(({name, code, text: all}) => ({
  name,
  format: 'plan',
  use: 'batch',
  code,
  exit: 2,
  build: (): Built => ({reference: (folder) => `${folder}/plan.yaml`, files: {'plan.yaml': all}}),
}))
