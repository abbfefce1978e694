import gradio as gr


def add_act(room):
    gr.Markdown("to be written")
