// Functions of the test templates name this folder as their CodeUri.
package main

func main() {}
