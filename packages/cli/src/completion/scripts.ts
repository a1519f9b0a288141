/** They only ask the command itself, so that they are right for its every version. */
export const SCRIPTS = {
  bash: `_headframe() {
  local IFS=$'\\n'
  COMPREPLY=($(headframe complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _headframe headframe
`,
  zsh: `_headframe() {
  local -a proposals
  proposals=("\${(@f)$(headframe complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ -n "\${proposals[1]}" ]] && compadd -a proposals || _files
}
compdef _headframe headframe
`,
  fish: `complete -c headframe -a '(headframe complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
} as const;
