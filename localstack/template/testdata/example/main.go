// Command example stands for a function: templates are resolved without building it.
package main

func main() {}
