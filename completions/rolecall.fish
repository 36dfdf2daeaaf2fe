# rolecall completion for fish. Install it as ~/.config/fish/completions/rolecall.fish
function __rolecall_offers
    set -l line (commandline --current-process --cut-at-cursor)
    set -l offers (env _ROLECALL_COMPLETE="$line" rolecall 2>/dev/null)
    if test (count $offers) -gt 0
        printf '%s\n' $offers
    else
        __fish_complete_path (commandline --current-token --cut-at-cursor)
    end
end
complete --command rolecall --no-files --keep-order --arguments '(__rolecall_offers)'
