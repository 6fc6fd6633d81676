import { shellText } from './shell-text.ts';

/** The completions of zsh: a file for a folder in `fpath`, or to be sourced behind `compinit`. */
export const zshScript = shellText`#compdef shannon-dash
# shannon-dash: completions for zsh. Made by: shannon-dash completion zsh

_shannon-dash() {
  local program=$\{(Q)words[1]} line value description rest=
  local -a before lines values
  [[ $program == '~/'* ]] && program=$HOME/$\{program#'~/'}
  # An alias is no program.
  whence -p -- $program >/dev/null || program=shannon-dash
  # The backslash that keeps \! from the history stays within quotes when they are taken away.
  before=("$\{(@Q)$\{(@)words[2,CURRENT-1]//\\!/!}}")
  lines=("$\{(@f)$($program complete -- "$\{before[@]}" "$\{(Q)PREFIX}" 2>/dev/null </dev/null)}")
  for line in $lines; do
    if [[ $line == $'\t'* ]]; then
      rest=$\{line#?}
      continue
    fi
    value=$\{line%%$'\t'*}
    description=
    [[ $line == *$'\t'* ]] && description=$\{line#*$'\t'}
    # _describe divides them at the first colon without a backslash.
    value=$\{value//\\/\\\\}
    values+=("$\{value//:/\\:}$\{description:+:$description}")
  done
  (( $#values )) && _describe -V -t shannon-dash shannon-dash values
  case $rest in
    files) _files ;;
    folders) _files -/ ;;
    'program '*)
      shift $\{rest#program } words
      (( CURRENT -= $\{rest#program } ))
      _normal
      ;;
  esac
}

# zsh has called this file as the function, or has read it as a part of another one.
if [[ $funcstack[1] == _shannon-dash ]]; then
  _shannon-dash "$@"
elif (( $+functions[compdef] )); then
  compdef _shannon-dash shannon-dash
fi
`;
