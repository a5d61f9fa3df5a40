#compdef transship
# zsh completion for transship: eval "$(transship completion zsh)", after compinit
_transship() {
  local line text ends told
  local -a whole part whole_told part_told
  for line in "${(@f)$("${words[1]}" completion words zsh -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}"; do
    [[ -n $line ]] || continue
    text=${line%%$'\t'*}
    line=${line#*$'\t'}
    ends=${line%%$'\t'*}
    told=${line#*$'\t'}
    [[ -n $told ]] && told="$text  -- $told" || told=$text
    if [[ $ends == 1 ]]; then
      whole+=("$text")
      whole_told+=("$told")
    else
      part+=("$text")
      part_told+=("$told")
    fi
  done
  (( $#whole )) && compadd -l -d whole_told -a whole
  (( $#part )) && compadd -S '' -l -d part_told -a part
  (( $#whole + $#part ))
}
if [[ $funcstack[1] == _transship ]]; then
  _transship "$@"
else
  compdef _transship transship
fi
