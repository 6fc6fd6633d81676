# shannon-dash: completions for PowerShell. Made by: shannon-dash completion powershell

Register-ArgumentCompleter -Native -CommandName 'shannon-dash' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @(
        foreach ($element in $commandAst.CommandElements) {
            if ($element.Extent.EndOffset -lt $cursorPosition) {
                if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $element.Value } else { $element.Extent.Text }
            }
        }
    )
    $program = if ($words.Count -gt 0) { $words[0] } else { 'shannon-dash' }
    $command = Get-Command -Name $program -CommandType Application, ExternalScript -ErrorAction Ignore | Select-Object -First 1
    if ($null -eq $command) { return }
    # The word may begin with a quote that is not closed yet.
    $word = $wordToComplete -replace '^["'']|["'']$', ''
    # As one argument of plain letters: PowerShell drops empty arguments and changes quotes on their way to a program.
    $line = (@($words | Select-Object -Skip 1) + @($word)) -join [char]0
    $encoded = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($line))
    foreach ($entry in @(& $command complete --encoded $encoded 2>$null)) {
        # What begins with a tab names files, which PowerShell completes by itself where nothing else comes.
        if ($entry -eq '' -or $entry[0] -eq [char]9) { continue }
        $value, $description = $entry -split [char]9, 2
        $text = if ($value -match '^[A-Za-z0-9_./:=+-]+$') { $value }
            else { "'" + [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($value) + "'" }
        if ([string]::IsNullOrEmpty($description)) { $description = $value }
        [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $description)
    }
}
