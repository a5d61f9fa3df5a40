# bash completion for transship: eval "$(transship completion bash)"
_transship() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[0]}" completion words bash -- "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null </dev/null))
}
complete -o nospace -F _transship transship
